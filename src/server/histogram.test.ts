import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Histogram } from './histogram.ts'

test('an empty histogram is all zeros', () => {
  assert.deepEqual(new Histogram().read(), {
    count: 0,
    meanMs: 0,
    maxMs: 0,
    p50Ms: 0,
    p90Ms: 0,
    p99Ms: 0,
    buckets: [],
  })
})

test('every percentile is at most 12.5 % and a microsecond above the truth, and never below it', () => {
  const times = fc.array(fc.double({ min: 0, max: 2_000_000, noNaN: true }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(times, (given) => {
      const histogram = new Histogram()
      for (const ms of given) histogram.add(ms)
      const sorted = given.toSorted((a, b) => a - b)
      const read = histogram.read()
      assert.equal(read.count, given.length)
      assert.equal(read.maxMs, sorted.at(-1))
      for (const [share, shown] of [
        [0.5, read.p50Ms],
        [0.9, read.p90Ms],
        [0.99, read.p99Ms],
      ] as const) {
        const truth = sorted[Math.ceil(given.length * share) - 1] as number
        assert.ok(shown >= truth, `${shown} < ${truth}`)
        assert.ok(shown <= truth * 1.125 + 0.001 + 1e-9, `${shown} is far above ${truth}`)
      }
      assert.equal(
        read.buckets.reduce((sum, [, count]) => sum + count, 0),
        given.length,
      )
    }),
  )
})

test('a time beyond the last bucket, or a clock that stood still, does no harm', () => {
  const histogram = new Histogram()
  histogram.add(1e12)
  histogram.add(-1)
  const read = histogram.read()
  assert.equal(read.count, 2)
  assert.equal(read.maxMs, 1e12)
})
