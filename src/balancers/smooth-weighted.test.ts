import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Call } from '../core/call.ts'
import { seededRandom } from '../core/random.ts'
import { type FakeCandidate, fakeCandidate } from '../testing/fake-candidate.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import type { Picker } from './balancer.ts'
import { balancers, smoothWeighted } from './index.ts'

const clock = createVirtualClock()
const call = new Call({ clock, service: 's', method: 'm', args: { list: [] }, deadline: Infinity })
// The beginning is not left to chance.
const fromTheStart = { clock, random: () => 0 }

const weighing = (weights: readonly number[]) =>
  weights.map((weight, i) => fakeCandidate(String.fromCharCode(97 + i), { weight }))
const totalOf = (candidates: readonly FakeCandidate[]) =>
  candidates.reduce((sum, { instance }) => sum + instance.weight, 0)
const sequence = (picker: Picker, picks: number) =>
  Array.from({ length: picks }, () => picker.pick(call)?.instance.id).join('')

/** Picks, and after each finds the greatest difference between what one got and its share. */
function deviation(pick: () => FakeCandidate, candidates: readonly FakeCandidate[], picks: number): number {
  const total = totalOf(candidates)
  const counts = new Map(candidates.map((candidate) => [candidate, 0]))
  let most = 0
  for (let done = 1; done <= picks; done++) {
    const picked = pick()
    counts.set(picked, (counts.get(picked) as number) + 1)
    for (const [{ instance }, count] of counts)
      most = Math.max(most, Math.abs(count - (done * instance.weight) / total))
  }
  return most
}

const weights = fc.array(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 60 })), {
  minLength: 1,
  maxLength: 8,
})

describe('weighted-round-robin', () => {
  it('spreads the turns of a heavy one', () => {
    assert.equal(sequence(smoothWeighted(weighing([5, 1, 1]), fromTheStart), 14), 'aabaaacaabaaac')
    assert.equal(sequence(smoothWeighted(weighing([7, 7, 1]), fromTheStart), 15), 'ababababcababab')
    assert.equal(sequence(smoothWeighted(weighing([1, 1, 1]), fromTheStart), 9), 'abcabcabc')
  })

  it('gives each exactly its share, over any so many picks as all weigh together', () => {
    fc.assert(
      fc.property(weights, fc.integer(), fc.nat(500), (given, seed, skipped) => {
        const candidates = weighing(given)
        const picker = smoothWeighted(candidates, { clock, random: seededRandom(seed) })
        for (let i = 0; i < skipped; i++) picker.pick(call)
        const got = sequence(picker, totalOf(candidates))
        for (const { instance } of candidates)
          assert.equal(got.split(instance.id).length - 1, instance.weight)
      }),
    )
  })

  it('is never a whole pick away from the shares, however often it is made anew', () => {
    fc.assert(
      fc.property(weights, fc.integer(), fc.nat(9), (given, seed, often) => {
        const candidates = weighing(given)
        const random = seededRandom(seed)
        let picker = smoothWeighted(candidates, fromTheStart)
        const pick = () => {
          if (random() * 10 < often)
            picker = smoothWeighted(candidates.toReversed(), { clock, random, previous: picker })
          return picker.pick(call) as FakeCandidate
        }
        assert.ok(deviation(pick, candidates, 2 * totalOf(candidates)) < 1)
      }),
    )
  })

  it('has no bursts between changes either, whoever comes, goes or weighs differently', () => {
    const steps = fc.array(
      fc.array(fc.record({ id: fc.nat(9), weight: fc.integer({ min: 1, max: 20 }) }), {
        minLength: 2,
        maxLength: 8,
      }),
      { minLength: 2, maxLength: 6 },
    )
    fc.assert(
      fc.property(steps, fc.integer(), (given, seed) => {
        const random = seededRandom(seed)
        const all = weighing(Array.from({ length: 10 }, () => 1))
        let previous: Picker | undefined
        for (const step of given) {
          const present = new Set(step.map(({ id, weight }) => weigh(all[id] as FakeCandidate, weight)))
          const candidates = [...present]
          const picker = smoothWeighted(candidates, { clock, random, previous })
          const picks = Math.floor(random() * 2 * totalOf(candidates))
          assert.ok(deviation(() => picker.pick(call) as FakeCandidate, candidates, picks) < 2)
          previous = picker
        }
      }),
    )
  })

  it('goes by a new weight from the next pick on', () => {
    const candidates = weighing([1, 1])
    const [a, b] = candidates as [FakeCandidate, FakeCandidate]
    const first = smoothWeighted(candidates, fromTheStart)
    assert.equal(sequence(first, 4), 'abab')
    weigh(a, 0)
    const second = smoothWeighted(candidates, { ...fromTheStart, previous: first })
    assert.equal(sequence(second, 4), 'bbbb')
    weigh(a, 3)
    const third = smoothWeighted(candidates, { ...fromTheStart, previous: second })
    assert.equal(sequence(third, 8).replaceAll(b.instance.id, '').length, 6)
  })

  it('does not make up for the time in which one was away', () => {
    const candidates = weighing([1, 1, 1])
    const without = smoothWeighted(candidates.slice(1), fromTheStart)
    sequence(without, 1_000)
    const again = smoothWeighted(candidates, { ...fromTheStart, previous: without })
    assert.ok(sequence(again, 6).split('a').length - 1 <= 2)
  })

  it('goes on where it was also beneath the avoiding of what was tried', () => {
    const policy = balancers['weighted-round-robin']
    const candidates = weighing([5, 1, 1])
    let picker = policy(candidates, fromTheStart)
    let got = ''
    for (let i = 0; i < 14; i++) {
      picker = policy(candidates, { ...fromTheStart, previous: picker })
      got += sequence(picker, 1)
    }
    assert.equal(got, 'aabaaacaabaaac')
  })

  it('keeps what two services owe to the same servers apart', () => {
    const candidates = weighing([1, 1])
    const one = smoothWeighted(candidates, fromTheStart)
    const two = smoothWeighted(candidates, fromTheStart)
    for (let i = 0; i < 3; i++) assert.equal(sequence(one, 1), sequence(two, 1))
  })

  it('does not begin with the same everywhere, but in proportion to the weights', () => {
    const firsts = Array.from({ length: 400 }, (_, seed) =>
      sequence(smoothWeighted(weighing([2, 1, 1]), { clock, random: seededRandom(seed) }), 1),
    )
    const share = (id: string) => firsts.filter((first) => first === id).length / firsts.length
    assert.ok(Math.abs(share('a') - 0.5) < 0.1 && share('b') > 0.15 && share('c') > 0.15)
  })

  it('takes any weights', () => {
    for (const given of [
      [5e-324, 1],
      [1e-9, 1e6],
      [1e300, 1e-300, 1],
      [Number.NaN, 1],
      [Number.POSITIVE_INFINITY, 1],
      [-1, -1],
    ]) {
      const picker = smoothWeighted(weighing(given), fromTheStart)
      assert.match(sequence(picker, 100), /^[abc]{100}$/)
    }
  })
})

function weigh(candidate: FakeCandidate, weight: number): FakeCandidate {
  candidate.instance = { ...candidate.instance, weight }
  return candidate
}
