import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyBytes } from './copy.ts'

test('a copy has memory of its own, of just its size', () => {
  for (const length of [0, 1, 300, 5000, 200_000]) {
    const bytes = Uint8Array.from({ length: length + 20 }, (_, i) => i)
    const copy = copyBytes(bytes, 10, 10 + length)
    assert.deepEqual(copy, bytes.slice(10, 10 + length))
    assert.equal(copy.buffer.byteLength, length)
    bytes.fill(255)
    assert.ok(length === 0 || copy[0] === 10)
  }
})
