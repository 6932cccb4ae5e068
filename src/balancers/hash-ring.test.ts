import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hashText } from './hash.ts'
import { HashRing, type RingMember } from './hash-ring.ts'

const keys = Array.from({ length: 20_000 }, (_, i) => hashText(`user:${i}`, 0))
const owner = (ring: HashRing<RingMember>, key: number) => ring.ownerAt(ring.find(key)).name
const member = (name: string, weight = 1): RingMember => ({ name, weight })
const servers = (count: number) => Array.from({ length: count }, (_, i) => member(`tcp://10.0.0.${i}:8089`))

function shares(ring: HashRing<RingMember>): Map<string, number> {
  const counts = new Map<string, number>(ring.members.map(({ name }) => [name, 0]))
  for (const key of keys) counts.set(owner(ring, key), (counts.get(owner(ring, key)) ?? 0) + 1)
  for (const [name, count] of counts) counts.set(name, count / keys.length)
  return counts
}

describe('HashRing', () => {
  it('gives each member its share, give or take a third', () => {
    for (const count of [2, 3, 10, 50])
      for (const share of shares(new HashRing(servers(count))).values())
        assert.ok(Math.abs(share * count - 1) < 0.33, `${count}: ${share * count}`)
  })

  it('gives shares in proportion to weights', () => {
    const given = shares(new HashRing([member('a', 1), member('b', 2), member('c', 0.5), member('d', 6.5)]))
    for (const [name, weight] of Object.entries({ a: 1, b: 2, c: 0.5, d: 6.5 }))
      assert.ok(Math.abs((given.get(name) as number) / (weight / 10) - 1) < 0.25, name)
  })

  it('is the same made from another one as made anew, whoever came, went or moved', () => {
    const pool = servers(12)
    const some = fc.shuffledSubarray(pool, { minLength: 1 })
    fc.assert(
      fc.property(fc.array(some, { minLength: 2, maxLength: 5 }), (steps) => {
        let ring: HashRing<RingMember> | undefined
        for (const members of steps) {
          ring = new HashRing(members, ring)
          const anew = new HashRing(members)
          assert.equal(ring.size, anew.size)
          for (const key of keys.slice(0, 200)) assert.equal(owner(ring, key), owner(anew, key))
        }
      }),
      { numRuns: 30 },
    )
  })

  it('walks around all points, and begins again at the first', () => {
    const ring = new HashRing(servers(3))
    const around = Array.from({ length: ring.size }, (_, i) => ring.ownerAt(ring.size - 1 + i))
    assert.equal(new Set(around).size, 3)
    assert.equal(ring.ownerAt(ring.size), ring.ownerAt(0))
  })

  it('bounds its points, whatever the weights', () => {
    const ring = new HashRing([member('heavy', 1e6), member('light', 1e-9), member('other', 1e6)])
    assert.ok(ring.size <= 2 ** 19 + 3, String(ring.size))
    const lighter = new HashRing(ring.members.slice(1), ring)
    assert.equal(lighter.members.length, 2)
    assert.ok(keys.every((key) => owner(lighter, key) === 'other'))
  })
})
