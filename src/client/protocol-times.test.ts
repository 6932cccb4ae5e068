import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CallInit } from '../core/call.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { timeout } from '../layers/timeout.ts'
import type { PoolOptions } from './pool-options.ts'
import { assertError, outcome, poolRig } from './pool.suite.ts'

const defaultTimeoutMs = 10_000
const rig = (times: Pick<Protocol, 'connectTimeoutMs' | 'handleTimeoutMs'>, pool: PoolOptions = {}) =>
  poolRig({ times, pool: { defaultTimeoutMs, ...pool } })

describe('a protocol with a time of its own to connect', () => {
  it('has it for connecting and negotiating together', async () => {
    const r = rig({ connectTimeoutMs: 3_000 })
    r.peer.connects = 'hold'
    r.peer.negotiates = 'when told'
    const reply = r.call()
    await r.clock.advance(2_000)
    r.peer.dials[0]?.accept()
    await r.clock.advance(999)
    assert.equal(r.pool.state, 'connecting')
    await r.clock.advance(1)
    assertError(await reply, 'unavailable', /connected, but the protocol was not negotiated within 3000 ms/)
    await r.pool.close()
  })

  it('has as long as it likes where it is 0; the call that waits has not', async () => {
    const r = rig({ connectTimeoutMs: 0 })
    r.peer.connects = 'hold'
    const reply = r.call()
    await r.clock.advance(3_600_000)
    assertError(await reply, 'deadline_exceeded', /in phase 'connect'/)
    r.peer.dials[0]?.accept()
    await r.clock.settle()
    assert.equal(r.pool.state, 'ready')
    await r.pool.close()
  })

  it('goes by what the client was told, where it was', async () => {
    const r = rig({ connectTimeoutMs: 0 }, { connectTimeoutMs: 200 })
    r.peer.connects = 'hold'
    const reply = r.call()
    await r.clock.advance(200)
    assertError(await reply, 'unavailable', /no connection within 200 ms/)
    await r.pool.close()
  })
})

describe('a protocol that agrees with its peer on the time for a call', () => {
  /** What has become of a call after some time. */
  async function after(ms: number, r: ReturnType<typeof rig>, patch: Partial<CallInit> = {}) {
    let ended: unknown
    const call = r.make(patch)
    const over = outcome(r.pool, call).then((result) => {
      ended = result
    })
    await r.clock.advance(ms)
    const state = ended === undefined ? 'under way' : 'ended'
    r.peer.held[0]?.answer('late')
    await Promise.all([over, r.clock.settle()])
    await r.pool.close()
    return state
  }

  it('bounds no call where that is none', async () => {
    assert.equal(await after(3_600_000, rig({ handleTimeoutMs: 0 })), 'under way')
  })

  it('leaves the peer the time, and the default for the way', async () => {
    assert.equal(await after(24_900, rig({ handleTimeoutMs: 15_000 })), 'under way')
    assert.equal(await after(25_100, rig({ handleTimeoutMs: 15_000 })), 'ended')
  })

  it('also lifts the deadline of the call that an attempt was made for', async () => {
    const r = rig({ handleTimeoutMs: 0 })
    const call = r.make()
    const attempt = outcome(r.pool, call.fork())
    await r.clock.advance(60_000)
    assert.equal(call.cancelled, undefined)
    r.peer.held[0]?.answer('late')
    assert.equal(await attempt, 'late')
    await r.pool.close()
  })

  const given: [name: string, run: () => Promise<string>][] = [
    ['for the call', () => after(10_100, rig({ handleTimeoutMs: 0 }), { bounded: true })],
    ['for the client', () => after(10_100, rig({ handleTimeoutMs: 0 }, { defaultTimeoutMs: undefined }))],
    [
      'by the call that makes it',
      () => {
        const r = rig({ handleTimeoutMs: 0 })
        return after(10_100, r, { deadline: r.clock.now() + 9_999 })
      },
    ],
    [
      'by a layer',
      async () => {
        const r = rig({ handleTimeoutMs: 0 })
        const call = r.make()
        const handler = timeout({ timeoutMs: 500 })(r.pool.call)
        const failed = assert.rejects(Promise.resolve(handler(call)), { code: 'deadline_exceeded' })
        await r.clock.advance(600)
        await failed
        await r.pool.close()
        return 'ended'
      },
    ],
  ]
  for (const [name, run] of given)
    it(`does not touch a deadline that was given ${name}`, async () => {
      assert.equal(await run(), 'ended')
    })
})
