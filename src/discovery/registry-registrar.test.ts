import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Call } from '../core/call.ts'
import { currentCall, runInCall } from '../core/context.ts'
import { RpcError } from '../core/error.ts'
import { math } from './discovery.suite.ts'
import { createRegistryHarness } from './registry-harness.suite.ts'
import { createRegistryRegistrar } from './registry-registrar.ts'

const ttlMs = 15_000

describe('registry registrar', () => {
  it('all servers of a process share one lease, renewed every third of its time', async () => {
    const h = createRegistryHarness()
    const registrar = h.newRegistrar()
    for (let i = 0; i < 5; i++) registrar.register([{ ...math, id: `math-${i}` }], { ttlMs })
    await h.clock.advance(600_000)
    assert.deepEqual([h.registry.store.leases, h.registry.store.size], [1, 5])
    const renewals = h.requests.get('renew') ?? 0
    assert.ok(renewals >= 109 && renewals <= 134, `every 5 s ± 10 %: ${renewals} in 10 min`)
    const disposed = registrar[Symbol.asyncDispose]?.()
    await h.clock.advance(1_000)
    await disposed
    assert.equal(h.registry.store.size, 0)
    assert.throws(() => registrar.register([math], { ttlMs }), { code: 'unavailable' })
    h.close()
  })

  it('one that leaves takes only itself away', async () => {
    const h = createRegistryHarness()
    const registrar = h.newRegistrar()
    const first = registrar.register([math], { ttlMs })
    registrar.register([{ ...math, id: 'math-2' }], { ttlMs })
    await h.clock.advance(100)
    const closed = first.close()
    await h.clock.advance(100)
    await closed
    assert.deepEqual(
      [h.registry.store.get('math-1'), h.registry.store.get('math-2')?.id],
      [undefined, 'math-2'],
    )
    h.close()
  })

  it('a process that was started again under its old name takes the name over; the old one stops, for good', async () => {
    const h = createRegistryHarness()
    const old = h.newRegistrar().register([{ ...math, incarnation: 7 }], { ttlMs })
    await h.clock.advance(1_000)
    let lost: RpcError | undefined
    old.onLost = (reason) => (lost = reason)
    h.cutRegistrars('hanging')
    await h.clock.advance(1_000)
    const fresh = createRegistryRegistrar('registry://b', h.room).register([math], { ttlMs })
    await h.clock.advance(100)
    await fresh.ready
    assert.equal(h.registry.store.get('math-1')?.incarnation, 8)
    h.cutRegistrars(undefined)
    await h.clock.advance(120_000)
    assert.equal(lost?.reason, 'superseded')
    assert.equal(h.registry.store.get('math-1')?.incarnation, 8, 'nobody takes it back')
    const size = h.registry.store.size
    await Promise.all([old.close(), h.clock.advance(1_000)])
    assert.deepEqual([size, h.registry.store.size], [1, 1])
    h.close()
  })

  it('a zombie that was away until its lease ran out does not push out who came after', async () => {
    const h = createRegistryHarness()
    const old = h.newRegistrar().register([math], { ttlMs })
    await h.clock.advance(1_000)
    h.cutRegistrars('down')
    await h.clock.advance(60_000)
    createRegistryRegistrar('registry://b', h.room).register([{ ...math, weight: 9, incarnation: 50 }], {
      ttlMs,
    })
    await h.clock.advance(1_000)
    const reasons: (string | undefined)[] = []
    old.onLost = (reason) => reasons.push(reason.reason)
    h.cutRegistrars(undefined)
    await h.clock.advance(60_000)
    assert.equal(h.registry.store.get('math-1')?.weight, 9)
    assert.deepEqual(reasons, ['lease_lost', 'superseded'])
    h.close()
  })

  it('what the registry refuses for good is said, and does not spoil the lease of the others', async () => {
    const h = createRegistryHarness()
    const registrar = h.newRegistrar()
    const good = registrar.register([math], { ttlMs })
    await h.clock.advance(100)
    const doubled = registrar.register([math], { ttlMs })
    const refused = assert.rejects(doubled.ready, { code: 'invalid_argument', message: /'math-1' twice/ })
    await h.clock.advance(100)
    await refused
    const update = good.update([{ ...math, weight: 5 }])
    await h.clock.advance(100)
    await update
    assert.equal(h.registry.store.get('math-1')?.weight, 5)
    await assert.rejects(good.update([{ ...math, services: [{ name: '' }] }]), { code: 'invalid_argument' })
    await h.clock.advance(60_000)
    assert.equal(h.registry.store.get('math-1')?.weight, 5)
    h.close()
  })

  it('a full registry is asked again until there is room', async () => {
    const h = createRegistryHarness(1, { maxInstances: 1 })
    const other = createRegistryRegistrar('registry://b', h.room).register([{ ...math, id: 'other' }], {
      ttlMs,
    })
    await h.clock.advance(100)
    const registration = h.newRegistrar().register([math], { ttlMs })
    await h.clock.advance(20_000)
    await Promise.all([other.close(), h.clock.advance(1_000)])
    await h.clock.advance(6_000)
    await registration.ready
    assert.equal(h.registry.store.get('math-1')?.id, 'math-1')
    h.close()
  })

  it('a registry that is there every other 2 s hears no more than half as many renewals again', async () => {
    const h = createRegistryHarness()
    h.newRegistrar().register([math], { ttlMs })
    await h.clock.advance(1_000)
    const before = h.requests.get('renew') ?? 0
    for (let i = 0; i < 60; i++) {
      h.cutRegistrars(i % 2 === 0 ? 'down' : undefined)
      await h.clock.advance(2_000)
    }
    const renewals = (h.requests.get('renew') ?? 0) - before
    assert.ok(renewals <= 36, `${renewals} in 2 min, 24 are nominal`)
    assert.equal(h.registry.store.size, 1)
    h.close()
  })

  it('a registry that answers nonsense is survived', async () => {
    const h = createRegistryHarness()
    let answer: unknown
    const calls: string[] = []
    const room = {
      ...h.room,
      reach: () => ({
        call: (call: Call) => {
          calls.push(call.method)
          if (answer instanceof RpcError) throw answer
          return answer
        },
        [Symbol.asyncDispose]: async () => {},
      }),
    }
    const registrar = createRegistryRegistrar('registry://a', room)
    const registration = registrar.register([math], { ttlMs })
    const details = { instance: 'math-1', incarnation: 1e300 }
    for (answer of [
      { lost: 'all' },
      { lost: [{ id: 7 }] },
      new RpcError('aborted', 'no', { reason: 'superseded', details }),
      new RpcError('aborted', 'no', { reason: 'lease_lost' }),
      new RpcError('aborted', 'no', { reason: 'superseded', details: { incarnation: 10 } }),
      null,
    ]) {
      calls.length = 0
      await h.clock.advance(30_000)
      assert.ok(calls.length > 2 && calls.length < 80, `${calls.length} calls in 30 s`)
    }
    await registration.ready
    await Promise.all([registrar[Symbol.asyncDispose](), h.clock.advance(1_000)])
    h.close()
  })

  it('belongs to no call, also where a handler starts it', async () => {
    const h = createRegistryHarness()
    const inside: unknown[] = []
    const room = {
      ...h.room,
      reach: () => ({
        call: (call: Call) => {
          inside.push(currentCall())
          return h.registrarLine.handler(call)
        },
        [Symbol.asyncDispose]: async () => {},
      }),
    }
    const { clock } = h
    const around = new Call({
      clock,
      service: 's',
      method: 'm',
      args: { list: [] },
      deadline: clock.now() + 10,
    })
    const registration = runInCall(around, () =>
      createRegistryRegistrar('registry://a', room).register([math], { ttlMs }),
    )
    around.cancel(new RpcError('cancelled', 'over'))
    await clock.advance(20_000)
    await registration.ready
    assert.ok(inside.length > 2 && inside.every((call) => call === undefined))
    h.close()
  })

  it('the same seed gives the same run', async () => {
    const run = async () => {
      const h = createRegistryHarness(42)
      const registrar = h.newRegistrar()
      registrar.register([math], { ttlMs })
      const trace: unknown[] = []
      for (let i = 0; i < 40; i++) {
        h.cutRegistrars(([undefined, 'down', 'hanging', undefined] as const)[i % 4])
        if (i % 10 === 9) h.restart()
        await h.clock.advance(3_000)
        trace.push(h.registry.store.revision, ...h.requests)
      }
      h.close()
      return JSON.stringify(trace)
    }
    assert.equal(await run(), await run())
  })

  it('a target that cannot be read is refused, and shows the right form', () => {
    const { room } = createRegistryHarness()
    for (const target of [
      'registry://',
      'registry:a',
      'registry://a:b',
      'registry://a:70000',
      'registry://a/x',
    ]) {
      const wrong = { code: 'invalid_argument', message: /is no registry.*for example registry:/ }
      assert.throws(() => createRegistryRegistrar(target, room), wrong, target)
    }
    for (const target of [
      'registry://a',
      'registry://a:1,b',
      'registry://[::1]',
      'registry://[::1]:7,a:2/',
    ]) {
      createRegistryRegistrar(target, room)
    }
    const registrar = createRegistryRegistrar('registry://a', room)
    assert.throws(() => registrar.register([math], { ttlMs: 10 }), {
      code: 'invalid_argument',
      message: /ttlMs/,
    })
  })
})
