import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { sleep } from './clock.ts'
import { currentCall, runInCall } from './context.ts'
import { systemClock } from './system-clock.ts'

test('sleep rejects at once when the signal was aborted before, and starts no timer', async () => {
  const clock = createVirtualClock()
  await assert.rejects(sleep(clock, 10, AbortSignal.abort(new Error('too late'))), /too late/)
  assert.equal(clock.timers, 0)
})

test('an abort after sleep is over changes nothing', async () => {
  const clock = createVirtualClock()
  const abort = new AbortController()
  const sleeping = sleep(clock, 10, abort.signal)
  await clock.advance(10)
  await sleeping
  abort.abort()
  assert.equal(clock.timers, 0)
})

test('the system clock never runs backwards, and recent is the last time read', () => {
  let last = systemClock.now()
  for (let i = 0; i < 1000; i++) {
    const now = systemClock.now()
    assert.ok(now >= last)
    last = now
  }
  assert.equal(systemClock.recent(), last)
})

test('deferred functions run after the promise reactions in which they were deferred', async () => {
  const order: string[] = []
  const done = Promise.withResolvers<void>()
  void Promise.resolve()
    .then(() => systemClock.defer(() => done.resolve(void order.push('deferred'))))
    .then(() => order.push('first'))
    .then(() => order.push('second'))
  await done.promise
  assert.deepEqual(order, ['first', 'second', 'deferred'])
})

test('timers of the system clock belong to no call, fire once, and can be stopped', async () => {
  const call = { name: 'a call, as far as this test is concerned' } as never
  const seen = await new Promise((resolve) => {
    runInCall(call, () => systemClock.after(1, () => resolve(currentCall())))
  })
  assert.equal(seen, undefined)
  const stop = systemClock.after(0, () => assert.fail('it was stopped'))
  stop()
  stop()
  await new Promise<void>((resolve) => systemClock.after(2, resolve))
})
