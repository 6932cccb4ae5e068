import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseEndpoint } from '../core/endpoint.ts'
import type { Instance } from '../core/instance.ts'
import { seededRandom } from '../core/random.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import type { RegistryEvent } from './events.ts'
import type { RegistryOptions } from './options.ts'
import { RegistryStore } from './store.ts'

const ttlMs = 15_000

function createStore(options: RegistryOptions = {}) {
  const clock = createVirtualClock()
  const events: RegistryEvent[] = []
  const room = { clock, random: seededRandom(1), onEvent: (event: RegistryEvent) => events.push(event) }
  return { clock, events, store: new RegistryStore(room, options) }
}

function instance(id: string, patch: Partial<Instance> = {}): Instance {
  return {
    id,
    incarnation: 1,
    services: [{ name: 'math' }],
    endpoints: [parseEndpoint('tcp://10.0.0.5:8089')],
    weight: 1,
    zone: undefined,
    metadata: {},
    status: 'up',
    ...patch,
  }
}

const lease = (id: string, incarnation = 1) => ({ id, incarnation, ttlMs })
type Expired = Extract<RegistryEvent, { lastSeenMs: number }>
const types = (events: readonly RegistryEvent[]) => events.map((event) => event.type)
const counter = (store: RegistryStore) => Number(store.revision.split(':')[1])

describe('registry store', () => {
  it('holds exactly what a lease says last, one revision for each change', () => {
    const { store, events } = createStore()
    store.register(lease('a'), [instance('x'), instance('y')])
    assert.equal(counter(store), 1)
    store.register(lease('a', 2), [instance('y', { weight: 3 }), instance('z')])
    assert.equal(counter(store), 2)
    assert.deepEqual([store.get('x'), store.get('y')?.weight, store.size], [undefined, 3, 2])
    assert.deepEqual(types(events), ['registered', 'registered', 'unregistered', 'updated', 'registered'])
  })

  it('does nothing new when asked twice', () => {
    const { store } = createStore()
    for (let i = 0; i < 3; i++) store.register(lease('a'), [instance('x')])
    for (let i = 0; i < 3; i++) store.drain(lease('a'))
    assert.equal(counter(store), 2)
    for (let i = 0; i < 3; i++) store.unregister(lease('a'))
    assert.deepEqual([counter(store), store.size, store.leases], [3, 0, 0])
  })

  it('a request that comes late does not undo a later one', () => {
    const { store } = createStore()
    store.register(lease('a', 2), [instance('x')])
    const late = { code: 'aborted', reason: 'superseded' }
    assert.throws(() => store.register(lease('a', 1), []), late)
    assert.throws(() => store.drain(lease('a', 1)), late)
    assert.throws(() => store.unregister(lease('a', 1)), late)
    store.unregister(lease('a', 3))
    assert.throws(() => store.register(lease('a', 3), [instance('x')]), {
      code: 'aborted',
      reason: 'lease_lost',
    })
    store.register(lease('a', 4), [instance('x')])
    assert.equal(store.size, 1)
  })

  it('an update needs the lease', () => {
    const { store } = createStore()
    assert.throws(() => store.update(lease('a'), []), { code: 'aborted', reason: 'lease_lost' })
    assert.throws(() => store.drain(lease('a')), { code: 'aborted', reason: 'lease_lost' })
    store.unregister(lease('a'))
  })

  it('a newer incarnation takes an id over, an older one is refused and told', () => {
    const { store, events } = createStore()
    store.register(lease('old'), [instance('x'), instance('y')])
    assert.throws(() => store.register(lease('new'), [instance('x')]), {
      code: 'aborted',
      reason: 'superseded',
      details: { instance: 'x', incarnation: 1 },
    })
    store.register(lease('new'), [instance('x', { incarnation: 2 })])
    assert.equal(types(events).filter((type) => type === 'superseded').length, 1)
    assert.deepEqual(store.renew([lease('old')]), [{ id: 'old', reason: 'superseded', instances: ['x'] }])
    assert.throws(() => store.register(lease('old', 2), [instance('x')]), { reason: 'superseded' })
    store.register(lease('old', 3), [instance('y')])
    assert.deepEqual(store.renew([lease('old', 3), lease('new')]), [])
    store.unregister(lease('old', 4))
    assert.equal(store.get('x')?.incarnation, 2)
  })

  it('a refused request changes nothing', () => {
    const { store } = createStore({ maxInstances: 3 })
    store.register(lease('a'), [instance('x'), instance('y')])
    const before = store.revision
    assert.throws(() => store.register(lease('b'), [instance('z'), instance('w')]), {
      code: 'resource_exhausted',
    })
    assert.throws(() => store.register(lease('b'), [instance('z'), instance('x')]), { code: 'aborted' })
    assert.deepEqual([store.revision, store.size, store.leases], [before, 2, 1])
  })

  it('a renewal tells of what is unknown', () => {
    const { store } = createStore()
    store.register(lease('a'), [instance('x')])
    assert.deepEqual(store.renew([lease('a'), lease('b'), lease('a', 2)]), [
      { id: 'b', reason: 'unknown' },
      { id: 'a', reason: 'unknown' },
    ])
  })

  it('expires what is not renewed, and says when it was last seen', async () => {
    const { store, clock, events } = createStore()
    store.register(lease('a'), [instance('x'), instance('y')])
    store.register(lease('b'), [instance('z')])
    await clock.advance(10_000)
    store.renew([lease('b')])
    await clock.advance(4_999)
    store.sweep()
    assert.equal(store.size, 3)
    await clock.advance(1)
    store.sweep()
    assert.deepEqual([store.size, store.leases, store.get('z')?.id], [1, 1, 'z'])
    const expired = events.filter((event): event is Expired => event.type === 'expired')
    assert.deepEqual(
      expired.map((event) => [event.instance.id, event.lastSeenMs]),
      [
        ['x', 15_000],
        ['y', 15_000],
      ],
    )
    store.register(lease('a', 2), [instance('x', { incarnation: 2 })])
    assert.equal(store.size, 2)
  })

  it('its own pause expires nobody', async () => {
    const { store, clock, events } = createStore()
    store.register(lease('a'), [instance('x')])
    store.register({ ...lease('b'), ttlMs: 300_000 }, [instance('y')])
    await clock.advance(60_000)
    store.sweep(500)
    assert.equal(store.size, 2)
    assert.ok(types(events).includes('paused'))
    await clock.advance(15_000)
    store.sweep()
    assert.equal(store.size, 1, 'the pause is given back once')
  })
})

describe('leases of other lengths', () => {
  const forEver = (id: string) => ({ id, incarnation: 1, ttlMs: Number.POSITIVE_INFINITY })

  it('one without an end stays until it is given back', async () => {
    const { store, clock } = createStore()
    store.register(forEver('a'), [instance('x')])
    await clock.advance(100 * 24 * 3_600_000)
    store.sweep()
    store.sweep(0)
    assert.deepEqual([store.size, store.get('x')?.suspect], [1, undefined])
    store.unregister(forEver('a'))
    assert.equal(store.size, 0)
  })

  it('those without an end say nothing of whether the others went silent together', async () => {
    const { store, clock } = createStore()
    for (let i = 0; i < 30; i++) store.register(forEver(`l${i}`), [instance(`i${i}`)])
    for (let i = 0; i < 9; i++) store.register(lease(`m${i}`), [instance(`m${i}`)])
    await clock.advance(ttlMs)
    store.sweep()
    assert.equal(store.size, 30, 'nine are too few to doubt')
  })

  // Heartbeats every 4 of 5 minutes, as the older Go systems have them.
  const seldom = (id: string) => ({ id, incarnation: 1, ttlMs: 300_000, silentAfterMs: 255_000 })

  async function goFleet(count: number, dying: number) {
    const made = createStore()
    const { store, clock, events } = made
    for (let s = 0; s <= 900; s++) {
      for (let i = 0; i < count; i++) {
        const living = i >= dying || s < 480
        if (living && (s - i * 7) % 240 === 0) store.register(seldom(`l${i}`), [instance(`i${i}`)])
      }
      await clock.advance(1_000)
      store.sweep()
    }
    return { store, events }
  }

  it('a fleet that is seldom heard of is not taken for silent', async () => {
    const { store, events } = await goFleet(30, 0)
    assert.equal(store.size, 30)
    assert.ok(types(events).every((type) => type === 'registered'))
  })

  it('a few of it that die are dropped', async () => {
    const { store } = await goFleet(30, 4)
    assert.equal(store.size, 26)
  })

  it('many that go silent together are kept', async () => {
    const { store, events } = await goFleet(30, 20)
    assert.ok(types(events).includes('preserving'))
    const suspects = [...store.instances()].filter(({ suspect }) => suspect === true)
    assert.ok(store.size >= 25, `${store.size}`)
    assert.ok(suspects.length >= 15, `${suspects.length}`)
  })

  it('is forgiven a pause of the registry that its next heartbeat would come too late for', async () => {
    const { store, clock } = createStore()
    store.register(seldom('a'), [instance('x')])
    await clock.advance(310_000)
    store.sweep(250_000)
    assert.equal(store.size, 1)
  })
})

describe('self-preservation', () => {
  function fleet(count: number) {
    const made = createStore()
    for (let i = 0; i < count; i++) made.store.register(lease(`l${i}`), [instance(`i${i}`)])
    const run = async (ms: number, alive: (i: number) => boolean) => {
      for (let passed = 0; passed < ms; passed += 500) {
        await made.clock.advance(500)
        made.store.sweep()
        // Spread over a third of the time to live, as owners do.
        for (let i = 0; i < count; i++) {
          if (alive(i) && (passed + i * 500) % 5_000 === 0) made.store.renew([lease(`l${i}`)])
        }
      }
    }
    const suspects = () =>
      [...Array(count).keys()].filter((i) => made.store.get(`i${i}`)?.suspect === true).length
    return { ...made, run, suspects }
  }

  it('keeps everybody when more than 15 % go silent together, marked suspect', async () => {
    const { store, run, suspects, events } = fleet(100)
    await run(30_000, () => true)
    await run(60_000, (i) => i < 60)
    assert.equal(store.size, 100)
    assert.equal(suspects(), 40)
    assert.ok(store.preserving)
    assert.equal(events.filter((event) => event.type === 'preserving').length, 1)
    await run(10_000, () => true)
    assert.deepEqual([store.size, suspects(), store.preserving], [100, 0, false])
  })

  it('drops those who stay silent when the others are back', async () => {
    const { store, run, suspects } = fleet(100)
    await run(30_000, () => true)
    await run(60_000, (i) => i < 60)
    await run(20_000, (i) => i < 95)
    assert.deepEqual([store.size, suspects()], [95, 0])
  })

  it('drops them all after 10 minutes', async () => {
    const { store, run } = fleet(20)
    await run(640_000, (i) => i < 10)
    assert.equal(store.size, 10)
  })

  it('drops a few that die, and all of a small fleet', async () => {
    const many = fleet(40)
    await many.run(30_000, (i) => i < 35)
    assert.equal(many.store.size, 35)
    const few = fleet(9)
    await few.run(30_000, () => false)
    assert.equal(few.store.size, 0)
  })
})
