import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { refuseCollisions } from './collisions.ts'
import { RpcError } from './error.ts'

function refused(keys: readonly unknown[]): boolean {
  try {
    refuseCollisions(keys)
    return false
  } catch (error) {
    assert.ok(RpcError.is(error))
    assert.equal(error.code, 'resource_exhausted')
    return true
  }
}

function timeToInsert(keys: readonly unknown[]): number {
  const start = performance.now()
  assert.ok(new Set(keys).size > 0)
  return performance.now() - start
}

const range = (count: number, make: (i: number) => unknown) =>
  Array.from({ length: count }, (_, i) => make(i))

describe('refuseCollisions', () => {
  const fair: [name: string, keys: unknown[]][] = [
    ['none', []],
    ['a few equal ones', range(200, () => 1)],
    ['a range', range(50_000, (i) => i)],
    ['steps of a thousand', range(50_000, (i) => i * 1000)],
    ['powers of two apart', range(20_000, (i) => i * 65_536)],
    ['negative ones', range(50_000, (i) => -i)],
    ['milliseconds', range(50_000, (i) => 1_780_000_000_000 + i * 60_000)],
    ['fractions', range(50_000, (i) => i / 7)],
    ['bigints', range(50_000, (i) => BigInt(i) * 4_194_304n)],
    ['negative bigints', range(50_000, (i) => -BigInt(i))],
    ['strings', range(50_000, (i) => `key${i}`)],
    ['objects', range(50_000, (i) => ({ i }))],
  ]
  for (const [name, keys] of fair) it(`lets pass ${name}`, () => assert.equal(refused(keys), false))

  it('refuses numbers that collide in V8', () => {
    const keys: number[] = []
    for (let index = 0; index < 8192; index++) keys.push(inverse(index))
    assert.ok(refused(keys))
    assert.ok(refused([...keys, ...range(100_000, (i) => i)]), 'a fair rest does not hide them')
    assert.ok(
      timeToInsert(keys) > 4 * timeToInsert(range(8192, (i) => i * 31)),
      'they do not collide: has V8 changed?',
    )
  })

  it('refuses bigints that differ above 64 bits only', () => {
    assert.ok(refused(range(5000, (i) => (BigInt(i) << 64n) + 5n)))
    assert.ok(refused(range(5000, (i) => -(BigInt(i) << 64n) - 5n)))
  })

  it('refuses equal ones', () => assert.ok(refused(range(5000, () => 1.5))))
})

/** The number whose hash is `bucket` in the low 17 bits and `index` above, by undoing each step of the mix. */
function inverse(index: number): number {
  let hash = ((index << 17) | 77) >>> 0
  hash = (hash ^ (hash >>> 16)) >>> 0
  hash = Math.imul(hash, inverse2057) >>> 0
  hash = undoShift(hash, 4)
  hash = Math.imul(hash, inverse5) >>> 0
  hash = undoShift(hash, 12)
  // ~x + (x << 15) is x * 32767 - 1.
  return Math.imul(hash + 1, inverse32767) | 0
}

function inverseOf(odd: number): number {
  let inverted = odd
  for (let i = 0; i < 5; i++) inverted = Math.imul(inverted, 2 - Math.imul(odd, inverted))
  return inverted
}

const inverse2057 = inverseOf(2057)
const inverse5 = inverseOf(5)
const inverse32767 = inverseOf(32_767)

function undoShift(value: number, bits: number): number {
  let result = value
  for (let i = bits; i < 32; i += bits) result = (value ^ (result >>> bits)) >>> 0
  return result
}
