import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MethodInfo } from '../../core/method-info.ts'
import type { ClientCall } from './client-call.ts'
import { StreamsTaken } from './streams-taken.ts'

const named = (name: string) => ({ service: 'a', method: name })
const pending = (name: string) =>
  ({ call: { ...named(name), name: `a.${name}` }, countsAsStream: false }) as unknown as ClientCall
const info = (output: MethodInfo['output']): MethodInfo => ({ idempotent: false, input: 'values', output })

test('what is known to be a stream counts, what is known to be none does not, what is not known may be one', () => {
  const taken = new StreamsTaken()
  const calls = [pending('stream'), pending('value'), pending('unknown')] as const
  taken.start(calls[0], info('stream'))
  taken.start(calls[1], info('value'))
  assert.equal(taken.count, 1)
  taken.start(calls[2], undefined)
  assert.equal(taken.count, 2)
  for (const call of calls) taken.remove(call)
  assert.equal(taken.count, 0)
})

test('once a method is described its calls count as what they are, each once', () => {
  const taken = new StreamsTaken()
  const streams = [pending('stream'), pending('stream')]
  const values = [pending('value'), pending('value')]
  for (const call of [...streams, ...values]) taken.start(call, undefined)
  assert.equal(taken.count, 4)
  assert.equal(taken.learn(named('value'), 'value'), true)
  assert.equal(taken.count, 2)
  assert.equal(taken.learn(named('stream'), 'stream'), false)
  for (const call of streams) taken.add(call)
  assert.equal(taken.count, 2)
  for (const call of [...streams, ...values]) taken.remove(call)
  assert.equal(taken.count, 0)
})

test('a peer that describes nothing shows by its first answer what a method is', () => {
  const taken = new StreamsTaken()
  const first = pending('value')
  taken.start(first, undefined)
  taken.start(pending('value'), undefined)
  taken.start(pending('other'), undefined)
  taken.answered(first)
  taken.remove(first)
  assert.equal(taken.count, 1)
  taken.start(pending('value'), undefined)
  assert.equal(taken.count, 1)
})
