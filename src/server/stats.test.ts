import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../core/call.ts'
import { RpcError } from '../core/error.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { CallStats } from './stats.ts'

const clock = createVirtualClock(1000)
const makeCall = (service: string, method: string) =>
  new Call({ clock, service, method, args: { list: [] }, deadline: Number.POSITIVE_INFINITY })

test('calls, errors by code, in flight and latency of each method', async () => {
  const stats = new CallStats(clock, (service) => service === 'math')
  const handler = stats.observe(() => 1)
  const [first, second, third] = [makeCall('math', 'add'), makeCall('math', 'add'), makeCall('math', 'sub')]
  for (const call of [first, second, third]) handler(call)
  assert.equal(stats.inFlight, 3)
  await clock.advance(10)
  first.end()
  second.end(new RpcError('not_found', 'gone'))
  const [add, sub] = stats.read()
  assert.equal(add?.method, 'add')
  assert.equal(add?.calls, 2)
  assert.equal(add?.inFlight, 0)
  assert.deepEqual(add?.errors, { not_found: 1 })
  assert.equal(add?.latency.maxMs, 10)
  assert.equal(sub?.inFlight, 1)
  assert.equal(stats.inFlight, 1)
})

test('names made up by strangers share one entry, also when one becomes known meanwhile', () => {
  let known = false
  const stats = new CallStats(clock, () => known)
  const handler = stats.observe(() => 1)
  const calls = Array.from({ length: 1000 }, (_, i) => makeCall('nobody', `m${i}`))
  for (const call of calls) handler(call)
  known = true
  for (const call of calls) call.end(new RpcError('not_found', 'no such service'))
  const read = stats.read()
  assert.equal(read.length, 1)
  assert.equal(read[0]?.service, '?')
  assert.equal(read[0]?.calls, 1000)
  assert.equal(read[0]?.inFlight, 0)
})

test('a call that ends while it is being made is counted once', () => {
  const stats = new CallStats(clock, () => true)
  const call = makeCall('math', '__proto__')
  stats.observe((made) => made.end())(call)
  assert.equal(stats.inFlight, 0)
  assert.equal(stats.read()[0]?.calls, 1)
})
