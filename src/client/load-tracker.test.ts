import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { p2c } from '../balancers/p2c.ts'
import { Call } from '../core/call.ts'
import { RpcError } from '../core/error.ts'
import { seededRandom } from '../core/random.ts'
import { fakeCandidate } from '../testing/fake-candidate.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { LoadTracker } from './load-tracker.ts'

describe('load tracker', () => {
  it('takes a slow answer in full at once, and forgets it within about ten seconds', async () => {
    const { tracker, call } = rig()
    await call(2)
    assert.equal(tracker.latencyMs, 2)
    await call(200)
    assert.equal(tracker.latencyMs, 200)
    for (let i = 0; i < 10; i++) await call(2, { after: 998 })
    assert.ok(tracker.latencyMs > 60 && tracker.latencyMs < 90, String(tracker.latencyMs))
    await call(2, { after: 40_000 })
    assert.ok(tracker.latencyMs < 4)
  })

  it('never becomes faster by failing quickly', async () => {
    const { tracker, call } = rig()
    await call(50)
    for (let i = 0; i < 20; i++) await call(0, { error: 'internal', after: 100 })
    assert.equal(tracker.latencyMs, 50)
    assert.ok(tracker.successRate < 0.2)
  })

  it('learns from calls that were given up late, but not from those given up early', async () => {
    const { tracker, call } = rig()
    await call(5)
    await call(1, { error: 'cancelled' })
    assert.equal(tracker.latencyMs, 5)
    await call(3_000, { error: 'cancelled' })
    assert.equal(tracker.latencyMs, 3_000)
    assert.equal(tracker.successRate, 1)
  })

  it('does not hold against the endpoint what is the call’s own fault', async () => {
    const { tracker, call } = rig()
    for (const error of ['invalid_argument', 'not_found', 'permission_denied', 'cancelled'] as const)
      await call(1, { error })
    assert.equal(tracker.successRate, 1)
    for (const error of ['unavailable', 'deadline_exceeded', 'internal', 'resource_exhausted'] as const)
      await call(1, { error })
    assert.ok(tracker.successRate < 0.7)
  })

  it('is not condemned by one failure after a quiet time, and recovers', async () => {
    const { tracker, call } = rig()
    await call(1, { error: 'unavailable', after: 100_000 })
    assert.ok(tracker.successRate > 0.5)
    for (let i = 0; i < 80; i++) await call(1)
    assert.equal(tracker.successRate, 1)
  })

  it('does not take the wait for a connection for latency', async () => {
    const { tracker, clock } = rig()
    const call = new Call({ clock, service: 's', method: 'm', args: { list: [] }, deadline: 1e9 })
    tracker.wait(call)
    assert.equal(tracker.inFlight, 1)
    await clock.advance(700)
    call.begin()
    call.end()
    assert.deepEqual([tracker.inFlight, tracker.latencyMs, tracker.usedAt], [0, 0, 1_000])
  })

  function rig() {
    const clock = createVirtualClock(1_000)
    const tracker = new LoadTracker()
    const call = async (ms: number, how: { error?: RpcError['code']; after?: number } = {}) => {
      await clock.advance(how.after ?? 0)
      const made = new Call({ clock, service: 's', method: 'm', args: { list: [] }, deadline: 1e9 })
      tracker.start(made)
      await clock.advance(ms)
      clock.now()
      if (how.error === undefined) made.begin()
      made.end(how.error && new RpcError(how.error, 'x'))
    }
    return { clock, tracker, call }
  }
})

describe('p2c with tracked load', () => {
  // A small simulation: 1,000 calls a second over three servers, each with its own behaviour.
  function simulate(
    seconds: number,
    serve: (server: number, random: () => number, ms: number) => { ms: number; error?: RpcError['code'] },
    from = 0,
  ) {
    let now = 1_000
    const clock = { ...createVirtualClock(now), recent: () => now, now: () => now }
    const random = seededRandom(11)
    const trackers = [0, 1, 2].map(() => new LoadTracker())
    const candidates = trackers.map((load, i) => ({ ...fakeCandidate(`c${i}`), load }))
    const picker = p2c(candidates, { clock, random })
    const ends: { at: number; call: Call; error: RpcError | undefined }[] = []
    const counts = [0, 0, 0]
    for (let i = 0; i < seconds * 1_000; i++) {
      now++
      for (const end of ends.splice(0, ends.length)) {
        if (end.at > now) ends.push(end)
        else {
          if (end.error === undefined) end.call.begin()
          end.call.end(end.error)
        }
      }
      const call = new Call({
        clock,
        service: 's',
        method: 'm',
        args: { list: [] },
        deadline: 1e9,
        startedAt: now,
      })
      const server = candidates.indexOf(picker.pick(call) as (typeof candidates)[number])
      if (i >= from * 1_000) counts[server] = (counts[server] ?? 0) + 1
      trackers[server]?.start(call)
      const { ms, error } = serve(server, random, i)
      ends.push({ at: now + ms, call, error: error && new RpcError(error, 'x') })
    }
    const total = counts.reduce((sum, count) => sum + count, 0)
    return counts.map((count) => count / total)
  }

  it('gives a server that fails fast less than 1 % after 2 s', () => {
    const shares = simulate(6, (server) => (server === 0 ? { ms: 1, error: 'internal' } : { ms: 10 }), 2)
    assert.ok((shares[0] as number) < 0.01, String(shares))
    assert.ok((shares[0] as number) > 0, 'it is tried, so that it can come back')
  })

  it('gives a server that became 200 ms slower less than 10 % within 5 s', () => {
    const shares = simulate(10, (server, random) => ({ ms: server === 0 ? 152 + random() * 100 : 2 }), 5)
    assert.ok((shares[0] as number) < 0.1, String(shares))
  })

  it('goes on evenly where all fail alike', () => {
    const shares = simulate(6, () => ({ ms: 2, error: 'unavailable' }), 2)
    for (const share of shares) assert.ok(share > 0.2, String(shares))
  })

  it('lets a server that is well again take part', () => {
    const shares = simulate(
      40,
      (server, _random, ms) => (server === 0 && ms < 5_000 ? { ms: 1, error: 'unavailable' } : { ms: 5 }),
      25,
    )
    assert.ok((shares[0] as number) > 0.2, String(shares))
  })
})
