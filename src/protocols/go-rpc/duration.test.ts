import assert from 'node:assert/strict'
import { it } from 'node:test'
import { formatGoDuration } from './duration.ts'

it('durations are written as by Go', () => {
  // Each checked with time.Duration.String.
  const rows: [number, string][] = [
    [0, '0s'],
    [1, '1ns'],
    [1100, '1.1µs'],
    [300e6, '300ms'],
    [2.5e6, '2.5ms'],
    [1e9, '1s'],
    [1.5e9, '1.5s'],
    [1_000_000_001, '1.000000001s'],
    [60e9, '1m0s'],
    [90.5e9, '1m30.5s'],
    [3600e9, '1h0m0s'],
    [3661.001e9, '1h1m1.001s'],
  ]
  for (const [nanoseconds, text] of rows) assert.equal(formatGoDuration(nanoseconds), text)
})
