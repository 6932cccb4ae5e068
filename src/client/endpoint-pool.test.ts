import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RpcError } from '../core/error.ts'
import { isPending } from '../core/layer.ts'
import { Metadata } from '../core/metadata.ts'
import { fakeInstance } from '../testing/fake-candidate.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { assertError, outcome, poolRig, poolSuite } from './pool.suite.ts'

poolSuite('many')
poolSuite('one-at-a-time')
poolSuite('one-at-a-time', { can: { cancel: false } })
poolSuite('one-per-connection', { can: { cancel: false } })

describe('pool', () => {
  it('gives a call to a ready session in the same turn', async () => {
    const r = poolRig()
    r.pool.connect()
    await r.clock.settle()
    const reply = r.pool.call(r.make())
    assert.equal(r.peer.calls.length, 1)
    assert.equal(reply, r.peer.calls[0]?.promise, 'the promise is the session’s own')
    assert.ok(isPending(reply))
    r.peer.calls[0]?.answer(1)
    assert.equal(await reply, 1)
    await r.pool.close()
  })

  it('answers ten parallel calls where a connection takes one stream at a time', async () => {
    const r = poolRig({ limit: 1 })
    const replies = Array.from({ length: 10 }, () => r.call())
    await r.clock.settle()
    assert.equal(r.peer.held.length, 10)
    assert.equal(r.peer.sessions.length, 10)
    for (const held of r.peer.held) held.answer('ok')
    assert.ok((await Promise.all(replies)).every((reply) => reply === 'ok'))
    await r.pool.close()
  })

  it('opens one connection, not several, for a burst that one can take', async () => {
    const r = poolRig()
    r.peer.answer = () => 1
    await Promise.all(Array.from({ length: 500 }, () => r.call()))
    assert.equal(r.peer.dials.length, 1)
    await r.pool.close()
  })

  it('tells its states', async () => {
    const r = poolRig()
    r.peer.answer = () => 1
    await r.call()
    await r.clock.advance(2_000)
    r.peer.connects = 'hold'
    r.peer.sessions[0]?.die()
    await r.clock.advance(100)
    r.peer.dials[1]?.refuse()
    await r.clock.settle()
    assert.deepEqual(r.states, ['connecting', 'ready', 'idle', 'connecting', 'failing'])
    await r.pool.close()
  })

  it('connects again by itself when a used connection is lost, but not an unused one', async () => {
    for (const used of [true, false]) {
      const r = poolRig()
      r.peer.answer = () => 1
      r.pool.connect()
      await r.clock.settle()
      if (used) await r.call()
      await r.clock.advance(2_000)
      r.peer.sessions[0]?.die()
      await r.clock.advance(101)
      assert.equal(r.peer.sessions.length, used ? 2 : 1)
      assert.equal(r.pool.state, used ? 'ready' : 'idle')
      await r.pool.close()
    }
  })

  it('waits longer and longer between connects, never in step', async () => {
    const times = (seed: number) => run(seed)
    const [one, other] = [await times(1), await times(2)]
    assert.notDeepEqual(one, other)
    const gaps = one.slice(1).map((at, i) => at - (one[i] as number))
    gaps.forEach((gap, i) => assert.ok(gap <= Math.min(5_000, 100 * 2 ** i), `gap ${i} is ${gap}`))
    assert.ok(one.length > 8 && one.length < 60, `${one.length} connects in a minute`)

    async function run(seed: number): Promise<number[]> {
      const r = poolRig({ seed })
      r.peer.connects = new RpcError('unavailable', 'connection refused')
      const at: number[] = []
      const push = r.peer.dials.push.bind(r.peer.dials)
      r.peer.dials.push = (...dials) => {
        at.push(r.clock.now())
        return push(...dials)
      }
      await r.call()
      await r.clock.advance(60_000)
      await r.pool.close()
      return at
    }
  })

  it('does not hammer a server that accepts and hangs up at once', async () => {
    const r = poolRig()
    r.pool.connect()
    for (let ms = 0; ms < 10_000; ms += 10) {
      await r.clock.advance(10)
      for (const session of r.peer.open) session.die()
    }
    assert.ok(r.peer.dials.length < 20, `${r.peer.dials.length} connects in 10 s`)
    assert.match(r.pool.status().lastError?.message ?? '', /closed at once/)
    await r.pool.close()
  })

  it('spreads a reconnect storm: all are back within 5 s of their server, and never all at once', async () => {
    const clock = createVirtualClock(10_000)
    const rigs = Array.from({ length: 200 }, (_, seed) => poolRig({ clock, seed }))
    for (const { pool } of rigs) pool.connect()
    await clock.settle()
    for (const r of rigs) {
      r.peer.answer = () => 1
      await r.call()
    }
    await clock.advance(2_000)
    for (const { peer } of rigs) {
      peer.connects = new RpcError('unavailable', 'connection refused')
      peer.sessions[0]?.die()
    }
    await clock.advance(10_000)
    for (const { peer } of rigs) peer.connects = 'accept'
    const ready: number[] = []
    for (let tick = 0; tick < 50; tick++) {
      await clock.advance(100)
      ready.push(rigs.filter(({ pool }) => pool.state === 'ready').length)
    }
    assert.equal(ready.at(-1), 200)
    const most = Math.max(...ready.map((count, i) => count - (ready[i - 1] ?? 0)))
    assert.ok(most < 30, `${most} of 200 connected within 100 ms`)
    assert.ok(ready.findIndex((count) => count > 180) > 20, 'spread over 2 s and more')
    await Promise.all(rigs.map(({ pool }) => pool.close()))
  })

  it('keeps a waiting call while one of several connects fails', async () => {
    const r = poolRig({ limit: 1 })
    const first = r.call()
    await r.clock.settle()
    r.peer.connects = new RpcError('unavailable', 'connection refused')
    const second = r.call()
    await r.clock.settle()
    assert.equal(r.pool.state, 'ready')
    r.peer.held[0]?.answer(1)
    await r.clock.settle()
    r.peer.held[0]?.answer(2)
    assert.deepEqual([await first, await second], [1, 2])
    await r.pool.close()
  })

  it('refuses what the protocol cannot carry, naming both', async () => {
    const r = poolRig({ can: { streams: false, metadata: false } })
    r.peer.answer = () => 1
    const info = { idempotent: false, input: 'values', output: 'stream' } as const
    assertError(
      await r.call({ info }),
      'unimplemented',
      /s\.m: the protocol 'fake-many' cannot carry streams/,
    )
    const numbers = (async function* () {})()
    assertError(await r.call({ args: { list: [1, numbers] } }), 'unimplemented', /streams/)
    const metadata = new Metadata({ tenant: 'a' })
    assertError(await r.call({ metadata }), 'unimplemented', /cannot carry metadata \('tenant'\)/)
    assert.equal(r.peer.dials.length, 0)
    assert.equal(await r.call({ metadata: new Metadata({ traceparent: '00-1' }) }), 1)
    await r.pool.close()
  })

  it('closes the one-at-a-time connection of a cancelled call only where the protocol cannot cancel', async () => {
    for (const cancel of [true, false]) {
      const r = poolRig({ calls: 'one-at-a-time', can: { cancel } })
      const call = r.make()
      const reply = outcome(r.pool, call)
      await r.clock.settle()
      call.cancel(new RpcError('cancelled', 'not needed'))
      assertError(await reply, 'cancelled')
      await r.clock.settle()
      assert.equal(r.peer.open.length, cancel ? 1 : 0)
      await r.pool.close()
    }
  })

  it('without connections that are kept, can be called until one cannot be made, and after one could again', async () => {
    const r = poolRig({ calls: 'one-per-connection' })
    r.peer.connects = new RpcError('unavailable', 'connection refused')
    assert.equal(r.pool.state, 'ready')
    await r.call()
    assert.equal(r.pool.state, 'failing')
    await r.clock.advance(5_000)
    r.peer.connects = 'accept'
    await r.clock.advance(5_000)
    assert.equal(r.pool.state, 'ready')
    assert.deepEqual([r.peer.open, r.pool.status().sessions], [[], 0], 'what it was tried with is not kept')
    await r.clock.advance(60_000)
    assert.equal(r.peer.sessions.length, 1)
    await r.pool.close()
  })

  it('without connections that are kept, counts connecting as a part of how long a call takes', async () => {
    const r = poolRig({ calls: 'one-per-connection' })
    r.peer.connects = 'hold'
    const reply = r.call()
    await r.clock.advance(30)
    r.peer.dials[0]?.accept()
    await r.clock.advance(20)
    r.clock.now()
    r.peer.held[0]?.answer(1)
    assert.equal(await reply, 1)
    assert.equal(r.pool.load.latencyMs, 50)
    await r.pool.close()
  })

  it('counts load, and takes changes of its instance', async () => {
    const r = poolRig()
    const reply = r.call()
    await r.clock.settle()
    assert.equal(r.pool.load.inFlight, 1)
    r.peer.held[0]?.answer(1)
    await reply
    const second = r.call()
    await r.clock.advance(20)
    r.clock.now()
    r.peer.held[0]?.answer(2)
    await second
    assert.equal(r.pool.load.inFlight, 0)
    assert.equal(r.pool.load.latencyMs, 20)
    const instance = { ...fakeInstance('a'), weight: 7 }
    r.pool.setInstance(instance)
    assert.equal(r.pool.instance, instance)
    await r.pool.close()
  })

  it('refuses options that make no sense', () => {
    assert.throws(() => poolRig({ pool: { maxSessions: 0 } }), /maxSessions must be a positive number/)
  })
})
