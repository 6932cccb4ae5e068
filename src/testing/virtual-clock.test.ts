import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep } from '../core/clock.ts'
import { createVirtualClock } from './virtual-clock.ts'

test('timers fire in the order of their time, then of their start', async () => {
  const clock = createVirtualClock(100)
  const fired: string[] = []
  const note = (name: string) => () => fired.push(`${name}@${clock.now()}`)
  clock.after(20, note('late'))
  clock.after(10, note('first'))
  clock.after(10, note('second'))
  clock.afterInBackground(5, note('background'))
  await clock.advance(15)
  assert.deepEqual(fired, ['background@105', 'first@110', 'second@110'])
  assert.equal(clock.now(), 115)
  await clock.advance(5)
  assert.deepEqual(fired.at(-1), 'late@120')
})

test('everything that a timer sets off has run before the next timer', async () => {
  const clock = createVirtualClock()
  const seen: string[] = []
  clock.after(1, () => {
    void Promise.resolve()
      .then(() => new Promise<void>((resolve) => clock.defer(resolve)))
      .then(() => new Promise<void>((resolve) => setImmediate(resolve)))
      .then(() => {
        seen.push('chain')
        clock.after(0, () => seen.push('started by the chain'))
      })
  })
  clock.after(2, () => seen.push('next timer'))
  await clock.advance(2)
  assert.deepEqual(seen, ['chain', 'started by the chain', 'next timer'])
})

test('a stopped timer does not fire, also when another of the same moment stops it', async () => {
  const clock = createVirtualClock()
  const fired: number[] = []
  clock.after(1, () => {
    fired.push(1)
    stop()
  })
  const stop = clock.after(1, () => fired.push(2))
  await clock.advance(5)
  stop()
  assert.deepEqual(fired, [1])
  assert.equal(clock.timers, 0)
})

test('sleep resolves on time and leaves no timer when it is aborted', async () => {
  const clock = createVirtualClock()
  let slept = false
  void sleep(clock, 50).then(() => (slept = true))
  await clock.advance(49)
  assert.equal(slept, false)
  await clock.advance(1)
  assert.equal(slept, true)

  const abort = new AbortController()
  const sleeping = sleep(clock, 50, abort.signal)
  assert.equal(clock.timers, 1)
  abort.abort(new Error('enough'))
  await assert.rejects(sleeping, /enough/)
  assert.equal(clock.timers, 0)
})

test('runUntilIdle follows chains of timers, leaves housekeeping alone, and gives up in the end', async () => {
  const clock = createVirtualClock()
  let left = 5
  const again = () => {
    if (--left > 0) clock.after(1000, again)
  }
  clock.after(1000, again)
  clock.afterInBackground(60_000, () => assert.fail('housekeeping was not asked for'))
  await clock.runUntilIdle()
  assert.equal(left, 0)
  assert.equal(clock.now(), 5000)
  assert.equal(clock.backgroundTimers, 1)

  const forever = () => void clock.after(1, forever)
  forever()
  await assert.rejects(clock.runUntilIdle(10), /timers still waiting: 1, after 10 ms/)
})

test('a timer that throws rejects advance, and the clock still works', async () => {
  const clock = createVirtualClock()
  clock.after(1, () => {
    throw new Error('from a timer')
  })
  await assert.rejects(clock.advance(1), /from a timer/)
  await clock.advance(1)
})

test('recent is the time that was last asked for', async () => {
  const clock = createVirtualClock()
  await clock.advance(10)
  assert.equal(clock.recent(), 0)
  assert.equal(clock.now(), 10)
  assert.equal(clock.recent(), 10)
})
