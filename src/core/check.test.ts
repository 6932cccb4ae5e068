import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkKeys, positive, unknownName } from './check.ts'

test('a name that there is not is told with those that there are', () => {
  const error = unknownName('balancer', 'best', ['p2c', 'random'])
  assert.equal(error.code, 'invalid_argument')
  assert.equal(error.message, "unknown balancer 'best'; known: p2c, random")
})

test('an object may have the keys that are known, and no others', () => {
  const known = new Set(['a', 'b'])
  checkKeys('option', {}, known)
  checkKeys('option', { b: 1 }, known)
  assert.throws(() => checkKeys('option', { b: 1, c: 2 }, known), /unknown option 'c'; known: a, b/)
  assert.throws(() => checkKeys('option', { constructor: 1 }, known), /unknown option 'constructor'/)
})

test('what is no number above 0 is refused', () => {
  assert.equal(positive('limit', 0.5), 0.5)
  assert.equal(positive('limit', Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY)
  for (const value of [0, -1, Number.NaN, '1', undefined])
    assert.throws(() => positive('limit', value), /limit must be a positive number, got/, String(value))
})
