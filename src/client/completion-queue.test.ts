import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RpcError } from '../core/error.ts'
import { completionQueue } from './completion-queue.ts'

test('gives each call as it ends, with its tag, and ends with the last', async () => {
  const queue = completionQueue<number, string>()
  const [slow, quick] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()]
  queue.add(slow.promise, 'slow')
  queue.add(quick.promise, 'quick')
  queue.close()
  assert.equal(queue.pending, 2)
  quick.resolve(2)
  assert.deepEqual(await queue.next(), { done: false, value: { tag: 'quick', ok: true, value: 2 } })
  const error = new RpcError('unavailable', 'gone')
  slow.reject(error)
  const rest = []
  for await (const one of queue) rest.push(one)
  assert.deepEqual(rest, [{ tag: 'slow', ok: false, error }])
  assert.equal(queue.pending, 0)
})

test('a reader that waits is told, also of the end; calls are put in while it reads', async () => {
  const queue = completionQueue<number, number>()
  const first = queue.next()
  queue.add(Promise.resolve(1), 0)
  assert.deepEqual((await first).value, { tag: 0, ok: true, value: 1 })
  const [second, third] = [queue.next(), queue.next()]
  queue.add(Promise.resolve(2), 1)
  queue.close()
  queue.close()
  assert.equal((await second).value?.value, 2)
  assert.deepEqual(await third, { done: true, value: undefined })
  assert.throws(() => queue.add(Promise.resolve(3), 2), { code: 'failed_precondition' })
})

test('what is no RpcError becomes one', async () => {
  const queue = completionQueue<number, undefined>()
  queue.add(Promise.reject(new TypeError('odd')), undefined)
  const { value } = await queue.next()
  assert.equal(value?.error?.code, 'internal')
})
