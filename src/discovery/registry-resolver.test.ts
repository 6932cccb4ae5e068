import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Call } from '../core/call.ts'
import type { Instance } from '../core/instance.ts'
import { math, watch } from './discovery.suite.ts'
import { createRegistryHarness, type RegistryHarness } from './registry-harness.suite.ts'
import { createRegistryResolver } from './registry-resolver.ts'

/** Registers instances directly: under one lease each, for an hour. */
function put(h: RegistryHarness, ids: readonly string[], patch: Partial<Instance> = {}): void {
  for (const id of ids) {
    h.registry.store.register({ id: `lease of ${id}`, incarnation: 1, ttlMs: 3_600_000 }, [
      { ...math, id, ...patch },
    ])
  }
}

const drop = (h: RegistryHarness, id: string) => {
  h.registry.store.unregister({ id: `lease of ${id}`, incarnation: 1 })
}

describe('registry resolver', () => {
  it('after a restart keeps who has not come back for 30 s, beside who has', async () => {
    const h = createRegistryHarness()
    put(h, ['a', 'b', 'c'])
    const seen = watch(h)
    await h.clock.advance(1_000)
    h.restart()
    put(h, ['a'])
    await h.clock.advance(10_000)
    assert.deepEqual(seen.ids().sort(), ['a', 'b', 'c'])
    assert.equal(seen.last?.status, 'stale')
    assert.match(seen.last.reason?.message ?? '', /restarted and does not know 2 of 3/)
    put(h, ['b', 'd'])
    await h.clock.advance(1_000)
    assert.deepEqual(seen.ids().sort(), ['a', 'b', 'c', 'd'])
    await h.clock.advance(20_000)
    assert.deepEqual(seen.ids().sort(), ['a', 'b', 'd'])
    assert.equal(seen.last?.status, 'live')
    h.close()
  })

  it('is live again as soon as all have come back', async () => {
    const h = createRegistryHarness()
    put(h, ['a', 'b'])
    const seen = watch(h)
    await h.clock.advance(1_000)
    h.restart()
    await h.clock.advance(1_000)
    assert.equal(seen.last?.status, 'stale')
    put(h, ['b', 'a'], { incarnation: 2 })
    await h.clock.advance(100)
    assert.equal(seen.last?.status, 'live')
    await h.clock.advance(60_000)
    assert.equal(seen.ids().length, 2)
    h.close()
  })

  it('obeys at once who is taken out one by one, also while it doubts, down to the last', async () => {
    const h = createRegistryHarness()
    put(h, ['a', 'b'])
    const seen = watch(h)
    await h.clock.advance(1_000)
    h.restart()
    put(h, ['a'])
    await h.clock.advance(1_000)
    drop(h, 'a')
    await h.clock.advance(100)
    assert.deepEqual(seen.ids(), ['b'])
    put(h, ['b'], { incarnation: 2 })
    await h.clock.advance(100)
    drop(h, 'b')
    await h.clock.advance(100)
    assert.deepEqual(seen.ids(), [])
    assert.equal(seen.last?.status, 'live')
    h.close()
  })

  it('asking again does not end the doubt, and does not prolong it', async () => {
    const h = createRegistryHarness()
    put(h, ['a', 'b'])
    const resolver = h.newResolver()
    const never = new AbortController().signal
    const snapshots = resolver.watch({}, never)[Symbol.asyncIterator]()
    await h.clock.advance(1_000)
    h.restart()
    put(h, ['a'])
    await h.clock.advance(1_000)
    for (let i = 0; i < 5; i++) {
      const snapshot = await resolver.refresh?.({}, never)
      assert.deepEqual([snapshot?.instances.size, snapshot?.status], [2, 'stale'])
      await h.clock.advance(5_000)
    }
    await h.clock.advance(10_000)
    assert.equal((await snapshots.next()).value?.instances.size, 1)
    h.close()
  })

  it('a deletion that the registry no longer remembers is seen after a reset', async () => {
    const h = createRegistryHarness(1, { maxHistory: 2 })
    put(h, ['a', 'b', 'c', 'd', 'e'])
    const seen = watch(h)
    await h.clock.advance(1_000)
    h.cutResolvers('down')
    drop(h, 'a')
    for (let i = 0; i < 5; i++) put(h, ['e'], { weight: i })
    h.cutResolvers(undefined)
    await h.clock.advance(2_000)
    assert.deepEqual(seen.ids(), ['b', 'c', 'd', 'e'])
    assert.equal(seen.last?.status, 'live')
    h.close()
  })

  it('a registry that says nothing for 25 s is dead, and is asked again', async () => {
    const h = createRegistryHarness()
    put(h, ['a'])
    const seen = watch(h)
    await h.clock.advance(1_000)
    h.cutResolvers('hanging')
    await h.clock.advance(23_000)
    assert.equal(seen.last?.status, 'live')
    await h.clock.advance(12_000)
    assert.equal(seen.last?.status, 'stale')
    assert.match(seen.last.reason?.message ?? '', /said nothing for 25 s/)
    h.cutResolvers(undefined)
    await h.clock.advance(8_000)
    assert.equal(seen.last?.status, 'live')
    h.close()
  })

  it('a registry that breaks each watch at once is not asked in a tight loop', async () => {
    const h = createRegistryHarness()
    put(h, ['a'])
    const seen = watch(h)
    for (let i = 0; i < 600; i++) {
      h.cutResolvers('down')
      h.cutResolvers(undefined)
      await h.clock.advance(100)
    }
    assert.ok((h.requests.get('watch') ?? 0) < 60, `${h.requests.get('watch')} watches in a minute`)
    assert.deepEqual(seen.ids(), ['a'])
    h.close()
  })

  it('nonsense from a registry changes nothing of what is known', async () => {
    const h = createRegistryHarness()
    put(h, ['a'])
    let nonsense: unknown
    const room = {
      ...h.room,
      reach: () => ({
        call(call: Call) {
          if (nonsense === undefined) return h.resolverLine.handler(call)
          const item = nonsense
          return (async function* () {
            yield item
          })()
        },
        [Symbol.asyncDispose]: async () => {},
      }),
    }
    const resolver = createRegistryResolver('registry://a', room)
    const stop = new AbortController()
    const sizes: number[] = []
    const read = async () => {
      for await (const snapshot of resolver.watch({}, stop.signal)) sizes.push(snapshot.instances.size)
    }
    const reading = read()
    await h.clock.advance(1_000)
    for (nonsense of [
      null,
      7,
      {},
      { kind: 'news' },
      { kind: 'snapshot' },
      { kind: 'snapshot', revision: 'x:1', instances: {} },
      { kind: 'snapshot', revision: 'x:1', instances: [{}] },
      { kind: 'snapshot', revision: 'x:1', instances: [], more: true },
      { kind: 'delta', revision: 'x:1', changes: [{ type: 'gone', id: 'a', incarnation: 1 }] },
      { kind: 'delta', revision: '', changes: [] },
    ]) {
      h.cutResolvers('down')
      h.cutResolvers(undefined)
      await h.clock.advance(10_000)
    }
    assert.ok(sizes.every((size) => size === 1))
    stop.abort()
    await reading
    await resolver[Symbol.asyncDispose]()
    await resolver[Symbol.asyncDispose]()
    assert.equal(h.clock.timers, 0)
    h.close()
  })

  it('readers of one query share one watch, which ends with the last', async () => {
    const h = createRegistryHarness()
    put(h, ['a'])
    const resolver = h.newResolver()
    const stops = [0, 1, 2].map(() => new AbortController())
    const feeds = stops.map((stop) =>
      resolver.watch({ service: 'math' }, stop.signal)[Symbol.asyncIterator](),
    )
    await h.clock.advance(100)
    for (const feed of feeds) assert.equal((await feed.next()).value?.instances.size, 1)
    assert.equal(h.requests.get('watch'), 1)
    for (const stop of stops) stop.abort()
    await h.clock.advance(60_000)
    assert.equal(h.requests.get('watch'), 1)
    assert.equal(h.clock.timers, 0)
    await resolver[Symbol.asyncDispose]?.()
    const after = resolver.watch({}, new AbortController().signal)[Symbol.asyncIterator]()
    assert.equal((await after.next()).done, true)
    h.close()
  })

  it('a large list comes in parts and is seen only as a whole', async () => {
    const h = createRegistryHarness()
    const services = Array.from({ length: 1_000 }, (_, i) => ({ name: `service-${i}`.padEnd(60, 'x') }))
    put(
      h,
      Array.from({ length: 60 }, (_, i) => `i${i}`),
      { services },
    )
    const seen = watch(h)
    await h.clock.advance(1_000)
    assert.deepEqual(
      seen.all.map((snapshot) => snapshot.instances.size),
      [60],
    )
    h.close()
  })
})
