import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { type Timed, tickMs } from './wheel.ts'

interface Entry extends Timed {
  firedAt: number
}

function room(start = 0) {
  const clock = createVirtualClock(start)
  const fired: Entry[] = []
  const entry = (due: number, then: (self: Entry) => void = () => {}): Entry => ({
    due,
    before: undefined,
    after: undefined,
    slot: -1,
    firedAt: -1,
    onDue() {
      this.firedAt = clock.now()
      fired.push(this)
      then(this)
    },
  })
  return { clock, wheel: clock.deadlines, fired, entry }
}

test('whatever is added and removed: due ones fire once, never early, at most a tick late, in order', async () => {
  const times = fc.record({
    after: fc.integer({ min: 0, max: 40_000 }),
    removedAfter: fc.option(fc.nat(40_000)),
  })
  await fc.assert(
    fc.asyncProperty(fc.nat(100_000), fc.array(times, { maxLength: 60 }), async (start, list) => {
      const { clock, wheel, fired, entry } = room(start)
      const entries = list.map(({ after, removedAfter }) => {
        const one = entry(start + after)
        wheel.add(one)
        if (removedAfter !== null) clock.after(removedAfter, () => wheel.remove(one))
        return { one, removedAt: removedAfter === null ? Number.POSITIVE_INFINITY : start + removedAfter }
      })
      await clock.advance(50_000)
      for (const { one, removedAt } of entries) {
        if (one.firedAt === -1) assert.ok(removedAt <= one.due + tickMs)
        else {
          assert.ok(one.firedAt >= one.due)
          assert.ok(one.firedAt <= one.due + tickMs)
        }
      }
      assert.equal(new Set(fired).size, fired.length)
      assert.equal(wheel.size, 0)
    }),
    { numRuns: 40 },
  )
})

test('a deadline that was waiting is kept when another is added while one is told', async () => {
  const { clock, wheel, fired, entry } = room()
  const waiting = entry(400)
  wheel.add(waiting)
  wheel.add(entry(100, () => wheel.add(entry(10_000))))
  await clock.advance(400)
  assert.equal(fired.includes(waiting), true)
})

test('one that is removed by another of the same moment is not told', async () => {
  const { clock, wheel, fired, entry } = room()
  const second = entry(100)
  wheel.add(entry(100, () => wheel.remove(second)))
  wheel.add(second)
  await clock.advance(200)
  assert.equal(fired.length, 1)
  assert.equal(wheel.size, 0)
})

test('one that is put off by another of the same moment is told at its new time', async () => {
  const { clock, wheel, entry } = room()
  const second = entry(100)
  wheel.add(
    entry(100, () => {
      wheel.remove(second)
      second.due = 300
      wheel.add(second)
    }),
  )
  wheel.add(second)
  await clock.advance(200)
  assert.equal(second.firedAt, -1)
  await clock.advance(100)
  assert.equal(second.firedAt, 300)
})

test('those of one moment are told in the order in which they were added', async () => {
  const { clock, wheel, fired, entry } = room()
  const list = [103, 101, 102, 101].map((due) => entry(due))
  for (const one of list) wheel.add(one)
  await clock.advance(200)
  assert.deepEqual(fired, [list[1], list[3], list[2], list[0]])
})

test('one that throws does not keep the others from being told, now or later', async () => {
  const { clock, wheel, fired, entry } = room()
  for (const due of [100, 100, 500]) wheel.add(entry(due, () => assert.ok(due !== 100, 'a bug in a session')))
  await assert.rejects(clock.advance(100), /a bug in a session/)
  assert.equal(fired.length, 2)
  await clock.advance(400)
  assert.equal(fired.length, 3)
})

test('one whose time has passed already is told within a tick', async () => {
  const { clock, wheel, entry } = room(1000)
  const late = entry(10)
  wheel.add(late)
  await clock.advance(tickMs)
  assert.ok(late.firedAt > 0)
})

test('never is never, and 30 days are no overflow of the timer', async () => {
  const { clock, wheel, entry } = room()
  wheel.add(entry(Number.POSITIVE_INFINITY))
  assert.equal(wheel.size, 0)
  const far = entry(30 * 24 * 3600 * 1000)
  wheel.add(far)
  let longest = 0
  const { afterInBackground } = clock
  clock.afterInBackground = (ms, fn) => {
    longest = Math.max(longest, ms)
    return afterInBackground(ms, fn)
  }
  await clock.advance(60_000)
  assert.equal(far.firedAt, -1)
  assert.equal(wheel.size, 1)
  assert.ok(longest < 2 ** 31)
})

test('removing twice, or what was never added, is harmless', () => {
  const { wheel, entry } = room()
  const one = entry(100)
  wheel.remove(one)
  wheel.add(one)
  wheel.remove(one)
  wheel.remove(one)
  assert.equal(wheel.size, 0)
})

test('a process blocked for longer than the wheel is round loses nothing', async () => {
  const { clock, wheel, fired, entry } = room()
  // All are due by the time the first timer gets its turn.
  for (let due = 0; due < 60_000; due += 500) wheel.add(entry(due))
  const pending = wheel.size
  await clock.advance(60_000)
  assert.equal(fired.length, pending)
})
