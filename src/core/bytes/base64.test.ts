import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromBase64, fromBase64Slowly, toBase64, toBase64Slowly } from './base64.ts'

test('base64 is the same by the runtime and by hand', () => {
  const bytes = fc.oneof(fc.uint8Array(), fc.uint8Array({ minLength: 8190, maxLength: 16_400 }))
  fc.assert(
    fc.property(bytes, (value) => {
      const text = Buffer.from(value).toString('base64')
      assert.equal(toBase64(value), text)
      assert.equal(toBase64Slowly(value), text)
      assert.deepEqual(fromBase64(text), value)
      assert.deepEqual(fromBase64Slowly(text), value)
    }),
    { numRuns: 50 },
  )
})

test('what is no base64 gives nothing', () => {
  for (const text of ['*', 'a', 'ab=c', 'ä']) assert.equal(fromBase64(text), undefined, text)
})
