import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Call } from '../core/call.ts'
import { seededRandom } from '../core/random.ts'
import { type FakeCandidate, fakeCandidate } from '../testing/fake-candidate.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { avoiding } from './avoiding.ts'
import type { Balancer, Candidate, CandidateState } from './balancer.ts'

export interface SuiteOptions {
  /** Calls have keys, each another, and the balancer goes by them: also to who has yet to be connected. */
  readonly byKey?: boolean
}

/** What every balancer must do. */
export function balancerSuite(name: string, balancer: Balancer, { byKey = false }: SuiteOptions = {}): void {
  const clock = createVirtualClock(1_000_000)
  const room = (seed = 1) => ({ clock, random: seededRandom(seed) })
  const some = (count: number, state?: CandidateState) =>
    Array.from({ length: count }, (_, i) =>
      fakeCandidate(`c${i}`, { ...(state && { state }), load: { usedAt: clock.now() } }),
    )
  let calls = 0
  const call = (tried?: Set<unknown>) => newCall(clock, tried, byKey ? `key-${calls++}` : undefined)

  describe(`balancer ${name}`, () => {
    it('picks nothing where there is nothing', () => {
      assert.equal(balancer([], room()).pick(call()), undefined)
    })

    it('picks the only one there is, in whatever state', () => {
      for (const state of ['idle', 'connecting', 'ready', 'failing'] as const) {
        const [only] = some(1, state)
        assert.equal(balancer([only as Candidate], room()).pick(call()), only)
      }
    })

    it('always picks one of the best state there is', () => {
      const states = fc.constantFrom<CandidateState>('idle', 'connecting', 'ready', 'failing')
      fc.assert(
        fc.property(fc.array(states, { minLength: 1, maxLength: 12 }), fc.integer(), (given, seed) => {
          const candidates = given.map((state, i) => fakeCandidate(`c${i}`, { state }))
          const picked = balancer(candidates, room(seed)).pick(call())
          assert.ok(picked !== undefined)
          if (given.includes('ready') && !byKey) assert.equal(picked.state, 'ready')
          else if (given.some((state) => state !== 'failing')) assert.notEqual(picked.state, 'failing')
        }),
      )
    })

    it('uses all of them where all fail', () => {
      assert.equal(distribution(some(3, 'failing'), 600).size, 3)
    })

    it('spreads calls evenly over equals', () => {
      for (const count of distribution(some(4), 4_000).values())
        assert.ok(count > 800 && count < 1_200, String(count))
    })

    it('starts anywhere, not always at the first', () => {
      const candidates = some(5)
      const first = new Set(
        Array.from({ length: 50 }, (_, seed) => balancer(candidates, room(seed)).pick(call())),
      )
      assert.ok(first.size >= 4, String(first.size))
    })

    it('picks the same for the same seed', () => {
      const candidates = some(7)
      const run = () => {
        calls = 0
        const picker = balancer(candidates, room(42))
        return Array.from({ length: 100 }, () => picker.pick(call())?.instance.id)
      }
      assert.deepEqual(run(), run())
    })

    it('sends nothing to weight 0 while there are others', () => {
      const candidates = [fakeCandidate('off', { weight: 0 }), fakeCandidate('on')]
      assert.deepEqual([...distribution(candidates, 50).keys()], ['on'])
      assert.equal(distribution(candidates.slice(0, 1), 50).get('off'), 50)
    })

    it('prefers what a retried call has not tried', () => {
      for (const size of [2, 3, 20]) {
        const candidates = some(size)
        const picker = avoiding(balancer)(candidates, room())
        const tried = new Set<unknown>()
        for (let i = 0; i < size; i++) {
          const picked = picker.pick(call(tried))
          assert.ok(picked !== undefined && !tried.has(picked))
          tried.add(picked)
        }
        assert.ok(picker.pick(call(tried)) !== undefined, 'all tried: one is picked again')
      }
    })

    it('prefers an untried one that must yet be connected, but not one that fails', () => {
      const [ready, idle, failing] = [
        fakeCandidate('r'),
        fakeCandidate('i', { state: 'idle' }),
        fakeCandidate('f', { state: 'failing' }),
      ]
      const picker = avoiding(balancer)([failing, idle, ready], room())
      assert.equal(picker.pick(call(new Set([ready]))), idle)
      const again = picker.pick(call(new Set([ready, idle])))
      assert.ok(again === ready || (byKey && again === idle))
    })

    it('goes on where it was when it is made anew, or begins anew, but never with who is gone', () => {
      const candidates = some(6)
      let picker = balancer(candidates, room())
      for (let left = 6; left > 0; left--) {
        for (let i = 0; i < 20; i++) picker.pick(call())
        const gone = candidates.pop()
        picker = balancer(candidates, { ...room(), previous: picker })
        for (let i = 0; i < 20; i++) assert.notEqual(picker.pick(call()), gone)
      }
      assert.equal(picker.pick(call()), undefined)
    })

    function distribution(candidates: readonly FakeCandidate[], picks: number): Map<string, number> {
      const picker = balancer(candidates, room(7))
      const counts = new Map<string, number>()
      for (let i = 0; i < picks; i++) {
        const id = picker.pick(call())?.instance.id ?? 'none'
        counts.set(id, (counts.get(id) ?? 0) + 1)
      }
      return counts
    }
  })
}

function newCall(clock: Call['clock'], tried?: Set<unknown>, key?: string): Call {
  const args = { list: [] }
  return new Call({
    clock,
    service: 's',
    method: 'm',
    args,
    deadline: Number.POSITIVE_INFINITY,
    tried,
    key,
    attempt: tried ? 2 : 1,
  })
}
