import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Call, type CallInit } from '../core/call.ts'
import { currentCall, runInCall } from '../core/context.ts'
import { isNotExecuted, RpcError } from '../core/error.ts'
import { resolveLimits } from '../core/limits.ts'
import { seededRandom } from '../core/random.ts'
import type { Capabilities } from '../protocols/protocol.ts'
import { fakeInstance } from '../testing/fake-candidate.ts'
import { createFakeProtocol, type FakePeer, type FakeProtocolOptions } from '../testing/fake-protocol.ts'
import { createVirtualClock, type VirtualClock } from '../testing/virtual-clock.ts'
import { createEndpointPool } from './endpoint-pool.ts'
import type { EndpointPool } from './pool.ts'
import type { PoolOptions } from './pool-options.ts'

export interface PoolRig {
  readonly clock: VirtualClock
  readonly pool: EndpointPool
  readonly peer: FakePeer
  /** The states that the pool has told. */
  readonly states: string[]
  make(patch?: Partial<CallInit>): Call
  /** Gives a call to the pool: what it comes to, as a value that never rejects. */
  call(patch?: Partial<CallInit>): Promise<unknown>
}

/** A pool to a fake peer, in virtual time. */
export function poolRig(
  options: FakeProtocolOptions & {
    pool?: PoolOptions
    seed?: number
    maxPendingCalls?: number
    clock?: VirtualClock
  } = {},
): PoolRig {
  const clock = options.clock ?? createVirtualClock(10_000)
  const { protocol, peer } = createFakeProtocol(options)
  const limits = resolveLimits({ maxPendingCalls: options.maxPendingCalls ?? 10_000 })
  const pool = createEndpointPool({
    instance: fakeInstance('a'),
    endpoint: { protocol: protocol.name, address: { transport: 'tcp', host: '10.0.0.5', port: 8089 } },
    protocol,
    dial: peer.dial,
    room: {
      clock,
      random: seededRandom(options.seed ?? 1),
      limits,
      codecs: [],
      info: () => undefined,
      learn() {},
      report() {},
    },
    ...(options.pool && { options: options.pool }),
  })
  const states: string[] = []
  pool.onState = (state) => states.push(state)
  const make = (patch: Partial<CallInit> = {}) => {
    const call = new Call({
      clock,
      service: 's',
      method: 'm',
      args: { list: [] },
      deadline: clock.now() + 10_000,
      ...patch,
    })
    call.watchDeadline()
    return call
  }
  const call = async (patch?: Partial<CallInit>) => outcome(pool, make(patch))
  return { clock, pool, peer, states, make, call }
}

/** What a call comes to, errors as values. */
export async function outcome(pool: EndpointPool, call: Call): Promise<unknown> {
  try {
    return await pool.call(call)
  } catch (error) {
    return error
  }
}

export function assertError(value: unknown, code: string, message?: RegExp): asserts value is RpcError {
  assert.ok(RpcError.is(value), `an RpcError, not ${String(value)}`)
  assert.equal(value.code, code)
  if (message !== undefined) assert.match(value.message, message)
}

/** What a pool must do on a protocol of each kind. */
export function poolSuite(calls: Capabilities['calls'], options: FakeProtocolOptions = {}): void {
  const rig = (more: Parameters<typeof poolRig>[0] = {}) => poolRig({ calls, ...options, ...more })
  // Every test ends with this: nothing was done that the protocol forbids, and nothing is left behind.
  const finish = async ({ pool, peer, clock }: PoolRig) => {
    await pool.close()
    await clock.settle()
    assert.deepEqual(peer.violations, [])
    assert.deepEqual(peer.open, [])
    assert.equal(pool.load.inFlight, 0)
    assert.equal(clock.timers, 0)
    await clock.advance(20_000)
    assert.equal(clock.backgroundTimers, 0)
  }

  describe(`pool, ${calls}${options.can?.cancel === false ? ', cannot cancel' : ''}`, () => {
    it('connects at the first call, and answers it', async () => {
      const r = rig()
      r.peer.answer = () => 'yes'
      assert.equal(r.pool.state, calls === 'one-per-connection' ? 'ready' : 'idle')
      assert.equal(r.peer.dials.length, 0)
      assert.equal(await r.call(), 'yes')
      assert.equal(r.pool.state, 'ready')
      assert.equal(r.pool.status().endpoint, `fake-${calls}+tcp://10.0.0.5:8089`)
      await finish(r)
    })

    it('answers ten calls at once, each once', async () => {
      const r = rig()
      const replies = Promise.all(Array.from({ length: 10 }, () => r.call()))
      for (let i = 0; i < 10; i++) {
        await r.clock.settle()
        for (const held of r.peer.held) held.answer(r.peer.calls.indexOf(held))
      }
      assert.deepEqual(
        (await replies).toSorted((a, b) => Number(a) - Number(b)),
        Array.from({ length: 10 }, (_, i) => i),
      )
      await finish(r)
    })

    it('answers thirty calls over at most three connections', async () => {
      const r = rig({ limit: 1, pool: { maxSessions: 3 } })
      const replies = Promise.all(Array.from({ length: 30 }, () => r.call()))
      for (let i = 0; i < 40; i++) {
        await r.clock.settle()
        assert.ok(r.peer.open.length <= 3, `${r.peer.open.length} connections`)
        r.peer.held[0]?.answer('done')
      }
      assert.ok((await replies).every((reply) => reply === 'done'))
      await finish(r)
    })

    it('gives waiting calls their turn in order', async () => {
      const r = rig({ limit: 1, pool: { maxSessions: 1 } })
      const replies = ['a', 'b', 'c'].map((method) => r.call({ method }))
      for (const _ of replies) {
        await r.clock.settle()
        r.peer.held[0]?.answer(r.peer.held[0].call.method)
      }
      assert.deepEqual(await Promise.all(replies), ['a', 'b', 'c'])
      assert.deepEqual(
        r.peer.calls.map(({ call }) => call.method),
        ['a', 'b', 'c'],
      )
      await finish(r)
    })

    it('fails all that wait when it cannot connect, and says where and that nothing was sent', async () => {
      const r = rig()
      r.peer.connects = new RpcError('unavailable', 'connection refused', { phase: 'connect' })
      const [first, second] = [r.make(), r.make()]
      const replies = [outcome(r.pool, first), outcome(r.pool, second)]
      for (const reply of replies) {
        const error = await reply
        assertError(error, 'unavailable', /tcp:\/\/10\.0\.0\.5:8089.*connection refused/)
        assert.equal(error.phase, 'connect')
        assert.ok(isNotExecuted(error))
      }
      assert.ok(first.notExecuted && second.notExecuted)
      assert.equal(r.pool.state, 'failing')
      assertError(r.pool.status().lastError, 'unavailable')
      await finish(r)
    })

    it('fails at once while it waits to connect again, with the last reason', async () => {
      const r = rig()
      r.peer.connects = new RpcError('unavailable', 'connection refused')
      await r.call()
      const dials = r.peer.dials.length
      assertError(await r.call(), 'unavailable', /connection refused \(next attempt in \d+ ms\)/)
      assert.equal(r.peer.dials.length, dials)
      await finish(r)
    })

    it('gives up a connect that hangs after a second, and closes what comes late', async () => {
      const r = rig()
      r.peer.connects = 'hold'
      const reply = r.call()
      await r.clock.advance(999)
      assert.equal(r.pool.load.inFlight, 1)
      await r.clock.advance(1)
      assertError(await reply, 'unavailable', /no connection within 1000 ms/)
      assert.ok(r.peer.dials[0]?.signal.aborted)
      r.peer.dials[0]?.accept()
      await r.clock.settle()
      assert.equal(r.peer.sessions.length, 0)
      await finish(r)
    })

    it('gives up a negotiation that hangs, in that phase', async () => {
      const r = rig()
      r.peer.negotiates = 'when told'
      const reply = r.call()
      await r.clock.settle()
      assert.equal(r.peer.calls.length, 0, 'nothing is sent before it is negotiated')
      await r.clock.advance(1_000)
      const error = await reply
      assertError(error, 'unavailable', /not negotiated within 1000 ms/)
      assert.equal(error.phase, 'negotiate')
      assert.ok(isNotExecuted(error))
      assert.deepEqual(r.peer.open, [])
      await finish(r)
    })

    it('never sends a call that is cancelled while it waits', async () => {
      const r = rig()
      r.peer.connects = 'hold'
      const call = r.make()
      const reply = outcome(r.pool, call)
      await r.clock.settle()
      call.cancel(new RpcError('cancelled', 'not needed'))
      assertError(await reply, 'cancelled')
      assert.ok(call.notExecuted && call.ended)
      r.peer.dials[0]?.accept()
      await r.clock.settle()
      assert.equal(r.peer.calls.length, 0)
      await finish(r)
    })

    it('never sends a call that expires while it waits, and says in which phase', async () => {
      const r = rig({ limit: 1, pool: { maxSessions: 1 } })
      r.peer.connects = 'hold'
      const connecting = r.make({ deadline: r.clock.now() + 50 })
      const reply = outcome(r.pool, connecting)
      await r.clock.advance(60)
      const error = await reply
      assertError(error, 'deadline_exceeded', /tcp:\/\/10\.0\.0\.5:8089/)
      assert.equal(error.phase, 'connect')
      r.peer.dials[0]?.accept()
      const busy = r.call()
      await r.clock.settle()
      const waiting = r.make({ deadline: r.clock.now() + 50 })
      const second = outcome(r.pool, waiting)
      await r.clock.advance(60)
      assertError(await second, 'deadline_exceeded')
      assert.ok(waiting.notExecuted)
      r.peer.held[0]?.answer(1)
      assert.equal(await busy, 1)
      await r.clock.settle()
      assert.equal(r.peer.calls.length, 1)
      await finish(r)
    })

    it('never sends a call that was cancelled before it came', async () => {
      const r = rig()
      await warm(r)
      const call = r.make()
      call.cancel(new RpcError('cancelled', 'too late'))
      assertError(await outcome(r.pool, call), 'cancelled')
      assert.equal(r.peer.calls.length, 1)
      await finish(r)
    })

    it('settles a caller that cancels at once, and goes on to serve others', async () => {
      const r = rig({ limit: 1, pool: { maxSessions: 1 } })
      const first = r.make()
      const reply = outcome(r.pool, first)
      const second = r.call()
      await r.clock.settle()
      first.cancel(new RpcError('cancelled', 'not needed'))
      assertError(await reply, 'cancelled')
      await r.clock.settle()
      await r.clock.advance(200)
      r.peer.held[0]?.answer('second')
      assert.equal(await second, 'second')
      await finish(r)
    })

    it('refuses calls beyond the bound of those that wait', async () => {
      const r = rig({ maxPendingCalls: 3 })
      r.peer.connects = 'hold'
      const waiting = [r.call(), r.call(), r.call()]
      const error = await r.call()
      assertError(error, 'resource_exhausted', /maxPendingCalls/)
      assert.ok(isNotExecuted(error))
      r.peer.answer = () => 'yes'
      for (let i = 0; i < 3; i++) {
        for (const dial of r.peer.dials) dial.accept()
        await r.clock.settle()
      }
      assert.deepEqual(await Promise.all(waiting), ['yes', 'yes', 'yes'])
      await finish(r)
    })

    it('finishes the calls of a session that drains, and replaces it', async () => {
      const r = rig()
      const first = r.call()
      await r.clock.settle()
      r.peer.sessions[0]?.drainByPeer()
      const second = r.call()
      await r.clock.settle()
      assert.equal(r.peer.calls[1]?.session, r.peer.sessions[1])
      r.peer.calls[0]?.answer('old')
      r.peer.calls[1]?.answer('new')
      assert.deepEqual([await first, await second], ['old', 'new'])
      await finish(r)
    })

    it('fails only what was in flight on a session that dies', async () => {
      const r = rig()
      await warm(r)
      await r.clock.advance(2_000)
      const lost = r.call()
      await r.clock.settle()
      r.peer.held[0]?.session.die()
      assertError(await lost, 'unavailable', /reset/)
      const next = r.call()
      await r.clock.settle()
      r.peer.held[0]?.answer('again')
      assert.equal(await next, 'again')
      await finish(r)
    })

    it('comes back by itself, or at the next call, after failures', async () => {
      const r = rig()
      r.peer.connects = new RpcError('unavailable', 'connection refused')
      await r.call()
      await r.clock.advance(30_000)
      r.peer.connects = 'accept'
      r.peer.answer = () => 'back'
      await r.clock.advance(5_001)
      assert.equal(await r.call(), 'back')
      assert.equal(r.pool.state, 'ready')
      assert.equal(r.pool.status().lastError, undefined)
      await finish(r)
    })

    it('ends the context of the call for the connections that it makes', async () => {
      const r = rig()
      const seen: unknown[] = []
      const dial = r.peer.dial
      const outer = r.make()
      const { protocol, peer } = createFakeProtocol({ calls })
      const pool = createEndpointPool({
        instance: fakeInstance('b'),
        endpoint: r.pool.endpoint,
        protocol,
        dial: (signal) => {
          seen.push(currentCall())
          return peer.dial(signal)
        },
        room: {
          clock: r.clock,
          random: Math.random,
          limits: resolveLimits(),
          codecs: [],
          info: () => undefined,
          learn() {},
          report() {},
        },
      })
      peer.answer = () => 1
      assert.equal(await runInCall(outer, () => outcome(pool, r.make())), 1)
      assert.deepEqual(seen, [undefined])
      assert.equal(dial, r.peer.dial)
      outer.end()
      await pool.close()
      await finish(r)
    })

    it('closes at once: what waits and what is in flight fails, a call afterwards too', async () => {
      const r = rig({ limit: 1, pool: { maxSessions: 1 } })
      const calls = [r.make(), r.make()]
      const replies = calls.map((call) => outcome(r.pool, call))
      await r.clock.settle()
      await r.pool.close()
      for (const reply of replies) assertError(await reply, 'unavailable', /closed/)
      assert.deepEqual(
        calls.map(({ notExecuted }) => notExecuted),
        [false, true],
      )
      assertError(await r.call(), 'unavailable', /tcp:\/\/10\.0\.0\.5:8089.* is closed/)
      assert.equal(r.pool.status().state, 'closed')
      await r.pool.close()
      await r.pool[Symbol.asyncDispose]()
      await finish(r)
    })

    it('closes while it connects', async () => {
      const r = rig()
      r.peer.connects = 'hold'
      const reply = r.call()
      await r.clock.settle()
      await r.pool.close()
      assertError(await reply, 'unavailable')
      assert.ok(r.peer.dials[0]?.signal.aborted)
      r.peer.dials[0]?.accept()
      await finish(r)
    })

    it('waits for calls in flight as long as it is told, and no longer', async () => {
      for (const answered of [true, false]) {
        const r = rig()
        const reply = r.call()
        await r.clock.settle()
        let closed = false
        const closing = r.pool
          .close(new RpcError('unavailable', 'shutting down'), 1_000)
          .then(() => (closed = true))
        await r.clock.advance(500)
        assert.equal(closed, false)
        if (answered) r.peer.held[0]?.answer('in time')
        await r.clock.advance(answered ? 0 : 500)
        if (answered) assert.equal(await reply, 'in time')
        else assertError(await reply, 'unavailable', /shutting down/)
        await closing
        await finish(r)
      }
    })

    it('drains: finishes what it has, takes nothing new, and is gone', async () => {
      const r = rig({ limit: 1, pool: { maxSessions: 1 } })
      const inFlight = r.call()
      const waiting = r.make()
      const waits = outcome(r.pool, waiting)
      await r.clock.settle()
      r.pool.drain()
      assertError(await waits, 'unavailable', /drained/)
      assert.ok(waiting.notExecuted)
      assertError(await r.call(), 'unavailable', /drained/)
      r.peer.held[0]?.answer('done')
      assert.equal(await inFlight, 'done')
      await r.clock.settle()
      assert.deepEqual(r.peer.open, [])
      assert.equal(r.pool.status().state, 'draining')
      await finish(r)
    })

    it('takes a layer’s replacement in the place of a call that it turned away', async () => {
      const r = rig()
      r.peer.connects = new RpcError('unavailable', 'connection refused')
      for (let i = 0; i < 2; i++) {
        const call = r.make()
        call.onEnd(() => {
          call.replacement = Promise.resolve('instead')
        })
        assert.equal(await outcome(r.pool, call), 'instead')
      }
      await finish(r)
    })

    async function warm(r: PoolRig): Promise<void> {
      const reply = r.call()
      await r.clock.settle()
      r.peer.held[0]?.answer('warm')
      await reply
      await r.clock.settle()
    }
  })
}
