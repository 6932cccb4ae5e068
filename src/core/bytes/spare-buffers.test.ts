import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpareBuffers } from './spare-buffers.ts'

test('a buffer that was given back is the next one of its size', () => {
  const spare = new SpareBuffers()
  const one = spare.take(100_000)
  const two = spare.take(100_000)
  assert.equal(one.length, 131_072)
  assert.notEqual(one, two)
  spare.give(one)
  assert.notEqual(spare.take(50_000), one)
  assert.equal(spare.take(131_072), one)
  assert.notEqual(spare.take(131_072), one)
})

test('small buffers, and those of a size that nobody asks for, are not kept', () => {
  const spare = new SpareBuffers()
  for (const size of [10, 100_000]) {
    const bytes = new Uint8Array(size)
    spare.give(bytes)
    assert.notEqual(spare.take(size), bytes)
  }
  assert.equal(spare.take(10).length, 10)
})

test('of one size no more than 8 MiB are kept, the last that were given', () => {
  const spare = new SpareBuffers()
  const given: Uint8Array[] = Array.from({ length: 4 }, () => new Uint8Array(4 * 1024 * 1024))
  for (const bytes of given) spare.give(bytes)
  const again = given.map(({ length }) => spare.take(length))
  assert.deepEqual(
    again.map((bytes) => given.indexOf(bytes)),
    [3, 2, -1, -1],
  )
})
