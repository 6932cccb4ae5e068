import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Balancer, type BalancerName, balancers, type Picker } from '../src/balancers/index.ts'
import { createEndpointPool } from '../src/client/endpoint-pool.ts'
import type { EndpointPool } from '../src/client/pool.ts'
import { Call } from '../src/core/call.ts'
import { RpcError } from '../src/core/error.ts'
import type { Handler } from '../src/core/layer.ts'
import { resolveLimits } from '../src/core/limits.ts'
import { seededRandom } from '../src/core/random.ts'
import { retry } from '../src/layers/index.ts'
import { fakeInstance } from '../src/testing/fake-candidate.ts'
import { createFakeProtocol, type FakePeer } from '../src/testing/fake-protocol.ts'
import { createVirtualClock } from '../src/testing/virtual-clock.ts'

// Retry over balancer over pools: the middle of a client, on fake peers and in virtual time.
function cluster(names: readonly string[], balancer: Balancer) {
  const clock = createVirtualClock(10_000)
  const random = seededRandom(4)
  const peers: FakePeer[] = []
  const pools: EndpointPool[] = names.map((name) => {
    const { protocol, peer } = createFakeProtocol()
    peers.push(peer)
    const nothing = () => undefined
    const room = {
      clock,
      random,
      limits: resolveLimits(),
      codecs: [],
      info: nothing,
      learn: nothing,
      report: nothing,
    }
    const pool = createEndpointPool({
      instance: fakeInstance(name),
      endpoint: { protocol: protocol.name, address: { transport: 'memory', name } },
      protocol,
      dial: peer.dial,
      room,
    })
    pool.onState = () => (picker = balancer(pools, { clock, random }))
    return pool
  })
  let picker: Picker = balancer(pools, { clock, random })
  const dispatch: Handler = (call) => {
    const picked = picker.pick(call) as EndpointPool
    call.candidate = picked
    return picked.call(call)
  }
  const handler = retry({ random })(dispatch)
  const call = async (idempotent = false) => {
    const info = { idempotent, input: 'values', output: 'value' } as const
    const made = new Call({
      clock,
      service: 's',
      method: 'm',
      args: { list: [] },
      deadline: clock.now() + 10_000,
      info,
    })
    made.watchDeadline()
    try {
      return await handler(made)
    } catch (error) {
      return error
    }
  }
  const close = () => Promise.all(pools.map((pool) => pool.close()))
  const connect = async () => {
    for (const pool of pools) pool.connect()
    await clock.settle()
  }
  return { clock, peers, connect, call, close }
}

describe('retry over balancer over pools', () => {
  for (const name of Object.keys(balancers) as BalancerName[]) {
    it(`${name}: loses no call when a server stops gracefully`, async () => {
      const { clock, peers, connect, call, close } = cluster(['a', 'b', 'c'], balancers[name])
      await connect()
      for (const peer of peers) peer.answer = () => 'ok'
      for (let i = 0; i < 30; i++) assert.equal(await call(), 'ok')
      // It refuses what comes late, then says that it drains, then is gone.
      const [stopping] = peers as [FakePeer]
      stopping.answer = undefined
      const late = Array.from({ length: 60 }, () => call())
      assert.ok(stopping.held.length > 0)
      for (const held of stopping.held) held.refuse()
      stopping.connects = new RpcError('unavailable', 'connection refused')
      for (const session of stopping.open) session.drainByPeer()
      assert.ok((await Promise.all(late)).every((reply) => reply === 'ok'))
      for (let i = 0; i < 300; i++) {
        assert.equal(await call(), 'ok')
        if (i % 10 === 0) await clock.advance(50)
      }
      await close()
    })

    it(`${name}: on a server that dies only calls in flight fail, and of these the idempotent ones succeed elsewhere`, async () => {
      const { clock, peers, connect, call, close } = cluster(['a', 'b', 'c'], balancers[name])
      await connect()
      await clock.advance(2_000)
      const calls = Array.from({ length: 30 }, (_, i) => call(i % 2 === 0))
      const [dying, ...others] = peers as [FakePeer, FakePeer, FakePeer]
      const lost = dying.held.length
      assert.ok(lost > 1)
      for (const peer of others) {
        peer.answer = () => 'elsewhere'
        for (const held of peer.held) held.answer('at once')
      }
      dying.connects = new RpcError('unavailable', 'connection refused')
      for (const session of dying.open) session.die()
      await clock.advance(1_000)
      const outcomes = await Promise.all(calls)
      const failed = outcomes.filter((outcome, i) => {
        if (RpcError.is(outcome)) assert.equal(i % 2, 1, 'only what is not idempotent fails')
        return RpcError.is(outcome)
      })
      assert.ok(failed.length > 0 && failed.length < lost)
      for (let i = 0; i < 100; i++) assert.equal(await call(), 'elsewhere')
      await close()
    })

    it(`${name}: says why when nobody is there, without hammering`, async () => {
      const { clock, peers, connect, call, close } = cluster(['a', 'b'], balancers[name])
      for (const peer of peers) peer.connects = new RpcError('unavailable', 'connection refused')
      await connect()
      const reply = call()
      await clock.advance(1_000)
      const error = await reply
      assert.ok(
        RpcError.is(error) &&
          error.code === 'unavailable' &&
          /memory:[ab]: connection refused/.test(error.message),
        String(error),
      )
      assert.ok(peers.every(({ dials }) => dials.length < 15))
      await close()
      assert.equal(clock.timers, 0)
    })
  }
})
