import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Call } from '../core/call.ts'
import { RpcError } from '../core/error.ts'
import { seededRandom } from '../core/random.ts'
import { fakeCandidate } from '../testing/fake-candidate.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import type { Balancer } from './balancer.ts'
import { balancerSuite } from './balancer.suite.ts'
import { balancerNamed, balancers, consistentHash, p2c, random, roundRobin, smoothWeighted } from './index.ts'
import { weightedIndex } from './weighted.ts'

balancerSuite('p2c', p2c)
balancerSuite('random', random)
balancerSuite('round-robin', roundRobin)
balancerSuite('weighted-round-robin', smoothWeighted)
balancerSuite('consistent-hash', consistentHash())
balancerSuite('consistent-hash, with keys', consistentHash(), { byKey: true })
for (const [name, balancer] of Object.entries(balancers)) balancerSuite(`${name} (as registered)`, balancer)

const clock = createVirtualClock(1_000_000)
const call = new Call({
  clock,
  service: 's',
  method: 'm',
  args: { list: [] },
  deadline: Number.POSITIVE_INFINITY,
})

function shares(balancer: Balancer, candidates: ReturnType<typeof fakeCandidate>[], picks: number, seed = 3) {
  const picker = balancer(candidates, { clock, random: seededRandom(seed) })
  const counts = new Map<string, number>(candidates.map(({ instance }) => [instance.id, 0]))
  for (let i = 0; i < picks; i++) {
    const id = picker.pick(call)?.instance.id as string
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return (id: string) => (counts.get(id) ?? 0) / picks
}

describe('random', () => {
  it('honours weights', () => {
    const share = shares(
      random,
      [
        fakeCandidate('a', { weight: 1 }),
        fakeCandidate('b', { weight: 3 }),
        fakeCandidate('c', { weight: 6 }),
      ],
      20_000,
    )
    assert.ok(
      Math.abs(share('a') - 0.1) < 0.02 &&
        Math.abs(share('b') - 0.3) < 0.02 &&
        Math.abs(share('c') - 0.6) < 0.02,
    )
  })

  it('draws by weight exactly enough for any weights', () => {
    const weights = [0, 5, 0.5, 12, 1, Number.NaN, -3]
    const draw = weightedIndex(weights, seededRandom(9))
    const counts = weights.map(() => 0)
    for (let i = 0; i < 100_000; i++) {
      const at = draw()
      counts[at] = (counts[at] ?? 0) + 1
    }
    for (const at of [0, 5, 6]) assert.equal(counts[at], 0)
    assert.ok(Math.abs((counts[3] ?? 0) / 100_000 - 12 / 18.5) < 0.01)
  })
})

describe('round-robin', () => {
  it('goes through all of them before it comes to one again', () => {
    const candidates = ['a', 'b', 'c'].map((id) => fakeCandidate(id))
    const picker = roundRobin(candidates, { clock, random: seededRandom(1) })
    for (let round = 0; round < 4; round++)
      assert.equal(new Set([picker.pick(call), picker.pick(call), picker.pick(call)]).size, 3)
  })
})

describe('p2c', () => {
  const used = { usedAt: clock.now() }

  it('gives a slow one less than a tenth', () => {
    const candidates = [
      fakeCandidate('slow', { load: { ...used, latencyMs: 200 } }),
      fakeCandidate('a', { load: { ...used, latencyMs: 2 } }),
      fakeCandidate('b', { load: { ...used, latencyMs: 2 } }),
    ]
    assert.ok(shares(p2c, candidates, 5_000)('slow') < 0.1)
  })

  it('prefers the one with less in flight', () => {
    const candidates = [3, 0, 9].map((inFlight) =>
      fakeCandidate(`${inFlight}`, { load: { ...used, inFlight, latencyMs: 1 } }),
    )
    assert.equal(shares(p2c, candidates, 1_000)('9'), 0)
  })

  it('is not attracted by what fails quickly', () => {
    const candidates = [
      fakeCandidate('hole', { load: { usedAt: 0, latencyMs: 0.01, successRate: 0.01 } }),
      fakeCandidate('a', { load: { ...used, latencyMs: 50, inFlight: 20 } }),
      fakeCandidate('b', { load: { ...used, latencyMs: 50, inFlight: 20 } }),
    ]
    const share = shares(p2c, candidates, 20_000)('hole')
    assert.ok(share < 0.01, String(share))
    assert.ok(share > 0, 'it is tried now and then, or it could never come back')
  })

  it('gives one that was never measured one call at a time', () => {
    const fresh = fakeCandidate('fresh', { load: used })
    const busy = fakeCandidate('busy', { load: { ...used, latencyMs: 100, inFlight: 50 } })
    const picker = p2c([fresh, busy], { clock, random: seededRandom(1) })
    assert.equal(picker.pick(call), fresh)
    fresh.load.inFlight = 1
    assert.equal(picker.pick(call), busy)
  })

  it('uses all where all do badly', () => {
    const candidates = ['a', 'b', 'c'].map((id) =>
      fakeCandidate(id, { load: { ...used, latencyMs: 1, successRate: 0 } }),
    )
    const share = shares(p2c, candidates, 3_000)
    for (const id of ['a', 'b', 'c']) assert.ok(share(id) > 0.25)
  })

  it('tries an unused one again about once a second, but never with a retried call', async () => {
    const own = createVirtualClock(1_000_000)
    const stale = fakeCandidate('stale', { load: { latencyMs: 500, usedAt: own.now() } })
    const good = fakeCandidate('good', { load: { latencyMs: 1, usedAt: own.now() } })
    const picker = p2c([stale, good], { clock: own, random: seededRandom(5) })
    const retried = new Call({
      clock: own,
      service: 's',
      method: 'm',
      args: { list: [] },
      deadline: 9e9,
      attempt: 2,
    })
    let trials = 0
    for (let ms = 0; ms < 10_000; ms++) {
      await own.advance(0)
      const at = own.now() + ms
      own.recent = () => at
      const picked = picker.pick(ms % 2 === 0 ? call : retried)
      if (picked === stale) trials++
      if (picked !== undefined) (picked as typeof stale).load.usedAt = at
    }
    assert.ok(trials >= 8 && trials <= 10, String(trials))
  })

  it('does not take the worse one just because calls are rare', () => {
    const candidates = [
      fakeCandidate('slow', { load: { latencyMs: 200 } }),
      fakeCandidate('a', { load: { latencyMs: 2 } }),
    ]
    assert.ok(shares(p2c, candidates, 1_000)('slow') <= 0.01)
  })
})

describe('balancerNamed', () => {
  it('finds the known ones', () => {
    assert.equal(balancerNamed('p2c'), balancers.p2c)
  })

  it('lists them where the name is unknown, also for inherited names', () => {
    for (const name of ['fastest', 'constructor', '__proto__']) {
      assert.throws(
        () => balancerNamed(name),
        (error) =>
          RpcError.is(error) &&
          error.code === 'invalid_argument' &&
          error.message.includes('p2c, round-robin, weighted-round-robin, random, consistent-hash'),
      )
    }
  })
})
