import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeInstance, type InstanceData } from '../discovery/api/instance-data.ts'
import type { FeedItem, WatchRequest } from '../discovery/api/messages.ts'
import { parseRevision } from '../discovery/api/revision.ts'
import { seededRandom } from '../core/random.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { createRegistry, type RegistryOptions } from './index.ts'

function create(options: RegistryOptions = {}) {
  const clock = createVirtualClock()
  const registry = createRegistry({ clock, random: seededRandom(1) }, options)
  const put = (id: string, incarnation: number, weights: readonly number[], service = 'math') => {
    const instances = weights.map((weight, i) => {
      const data = {
        id: `${id}-${i}`,
        services: [{ name: service }],
        endpoints: ['tcp://10.0.0.5:1'],
        weight,
      }
      return decodeInstance(data, 'instance')
    })
    registry.store.register({ id, incarnation, ttlMs: 3_600_000 }, instances)
  }
  const watch = (request: WatchRequest = {}) => {
    return (registry.methods.watch.fn as (request: unknown) => AsyncIterable<FeedItem>)(request)[
      Symbol.asyncIterator
    ]()
  }
  return { clock, registry, put, watch }
}

/** A watcher that checks what it is told against the rules of a feed, and builds the list from it. */
class Validator {
  readonly state = new Map<string, InstanceData>()
  readonly revisions: string[] = []
  resets = 0
  seen: string | undefined

  take(item: FeedItem): void {
    const before = this.seen === undefined ? undefined : parseRevision(this.seen)
    const now = parseRevision(item.revision)
    assert.ok(now !== undefined)
    if (item.kind !== 'snapshot' && before !== undefined) {
      assert.equal(now.epoch, before.epoch)
      assert.ok(now.counter >= before.counter, 'ordered: revisions never go back')
    }
    switch (item.kind) {
      case 'snapshot':
        assert.equal(item.reset, this.seen !== undefined, 'only who resumes is reset')
        if (item.reset) this.resets++
        this.state.clear()
        for (const instance of item.instances) this.state.set(instance.id, instance)
        break
      case 'delta': {
        assert.ok(before !== undefined, 'a feed begins with a snapshot')
        assert.ok(now.counter > before.counter, 'unique: no step is told twice')
        const ids = item.changes.map((change) => (change.type === 'up' ? change.instance.id : change.id))
        assert.equal(new Set(ids).size, ids.length, 'unique: one change for each instance')
        for (const change of item.changes) {
          if (change.type === 'up') {
            assert.notDeepEqual(this.state.get(change.instance.id), change.instance, 'unique: it is news')
            this.state.set(change.instance.id, change.instance)
          } else assert.ok(this.state.delete(change.id), 'reliable: what goes was told before')
        }
        break
      }
      case 'bookmark':
        break
    }
    this.seen = item.revision
    this.revisions.push(item.revision)
  }
}

/** The same text for the same instances, in whatever order. */
function shown(instances: Iterable<InstanceData>): string {
  return JSON.stringify([...instances].sort((a, b) => (a.id < b.id ? -1 : 1)))
}

describe('registry watch', () => {
  it('begins with a snapshot, then tells each change, with the reason for which something is gone', async () => {
    const { registry, put, watch, clock } = create()
    put('a', 1, [1])
    const feed = watch()
    const first = (await feed.next()).value as FeedItem
    assert.equal(first.kind === 'snapshot' && !first.reset && first.instances.length, 1)
    const next = feed.next()
    put('b', 1, [1, 1])
    await clock.advance(20)
    const second = (await next).value as FeedItem
    assert.deepEqual(second.kind === 'delta' && second.changes.map((change) => change.type), ['up', 'up'])
    const third = feed.next()
    registry.store.unregister({ id: 'a', incarnation: 2 })
    await clock.advance(20)
    const item = (await third).value as FeedItem
    assert.deepEqual(item.kind === 'delta' && item.changes, [
      { type: 'gone', id: 'a-0', incarnation: 0, reason: 'unregistered', lastSeenMs: 20 },
    ])
    registry.close()
  })

  it('all watchers of a query get the same frozen delta', async () => {
    const { registry, put, watch, clock } = create()
    const feeds = Array.from({ length: 1_000 }, () => watch({ query: { service: 'math' } }))
    await Promise.all(feeds.map((feed) => feed.next()))
    const waiting = feeds.map((feed) => feed.next())
    put('a', 1, [1])
    await clock.advance(20)
    const items = await Promise.all(waiting)
    assert.equal(new Set(items.map((item) => item.value)).size, 1)
    assert.ok(Object.isFrozen(items[0]?.value))
    registry.close()
  })

  it('a change that makes an instance match, or no longer match, is told as coming and going', async () => {
    const { registry, put, watch, clock } = create()
    const feed = watch({ query: { service: 'math' } })
    await feed.next()
    const told = async (change: () => void) => {
      const next = feed.next()
      change()
      await clock.advance(20)
      const item = (await next).value as FeedItem
      return item.kind === 'delta'
        ? item.changes.map((one) => (one.type === 'up' ? 'up' : one.reason))
        : item.kind
    }
    assert.deepEqual(await told(() => put('a', 1, [1], 'math')), ['up'])
    assert.deepEqual(await told(() => put('a', 2, [1], 'text')), ['changed'])
    assert.deepEqual(await told(() => put('a', 3, [1], 'math')), ['up'])
    registry.close()
  })

  it('says that it is alive every 10 s, and resumes with what was missed', async () => {
    const { registry, put, watch, clock } = create()
    const feed = watch()
    await feed.next()
    const next = feed.next()
    await clock.advance(10_000)
    const bookmark = (await next).value as FeedItem
    assert.equal(bookmark.kind, 'bookmark')
    await feed.return?.()
    const calm = (await watch({ from: bookmark.revision }).next()).value as FeedItem
    assert.equal(calm.kind, 'bookmark', 'told at once that nothing was missed')
    put('a', 1, [1])
    const resumed = (await watch({ from: bookmark.revision }).next()).value as FeedItem
    assert.equal(resumed.kind, 'delta')
    registry.close()
  })

  it('a delete that was forgotten meanwhile is told by a reset and a new snapshot', async () => {
    const { registry, put, watch } = create({ maxHistory: 3 })
    put('a', 1, [1])
    const first = (await watch().next()).value as FeedItem
    registry.store.unregister({ id: 'a', incarnation: 2 })
    for (let i = 1; i < 10; i++) put('b', i, [i])
    for (const from of [first.revision, 'other:1', 'garbage', `${first.revision}99`]) {
      const item = (await watch({ from }).next()).value as FeedItem
      assert.ok(item.kind === 'snapshot' && item.reset)
      assert.deepEqual(
        item.instances.map((instance) => instance.id),
        ['b-0'],
      )
    }
    registry.close()
  })

  it('leaving ends it at once, also while it waits; what is too much is refused', async () => {
    const { registry, watch, clock } = create({ maxWatches: 2 })
    const feed = watch()
    await feed.next()
    const waiting = feed.next()
    await assert.rejects(feed.next(), { code: 'failed_precondition' })
    watch()
    assert.throws(() => watch(), { code: 'resource_exhausted', message: /2 watches/ })
    await feed.return?.()
    assert.equal((await waiting).done, true)
    watch()
    registry.close()
    assert.equal(clock.backgroundTimers, 0)
  })

  it('is ordered, unique, reliable, atomic, resumable and bookmarkable, whatever happens', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ put: fc.nat(4), weights: fc.array(fc.nat(2), { maxLength: 3 }) }) },
      { weight: 2, arbitrary: fc.record({ remove: fc.nat(4) }) },
      { weight: 6, arbitrary: fc.record({ read: fc.nat(2) }) },
      { weight: 2, arbitrary: fc.record({ reconnect: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ wait: fc.nat(30_000) }) },
    )
    const run = async (steps: readonly Record<string, any>[], maxHistory: number) => {
      const { registry, put, watch, clock } = create({ maxHistory })
      const validators = [0, 1, 2].map(() => new Validator())
      const feeds = validators.map(() => watch())
      const waiting: (Promise<void> | undefined)[] = []
      const atomic = new Map<string, string>()
      let incarnation = 0
      const now = () => shown(registry.store.views.list({}, 0).instances)
      const note = () => atomic.set(registry.store.revision, now())
      const read = (i: number) => {
        waiting[i] ??= (feeds[i] as AsyncIterator<FeedItem>).next().then((result) => {
          waiting[i] = undefined
          if (result.done === true) return
          const validator = validators[i] as Validator
          validator.take(result.value)
          // Atomic: what it knows is what was there at that revision, never something in between.
          assert.equal(shown(validator.state.values()), atomic.get(result.value.revision))
        })
        return waiting[i]
      }
      note()
      for (const one of steps) {
        if ('put' in one) put(`l${one['put']}`, ++incarnation, one['weights'] as number[])
        else if ('remove' in one)
          registry.store.unregister({ id: `l${one['remove']}`, incarnation: ++incarnation })
        else if ('wait' in one) await clock.advance(one['wait'] as number)
        else if ('read' in one) void read(one['read'] as number)
        else {
          const i = one['reconnect'] as number
          await feeds[i]?.return?.()
          await waiting[i]
          const from = (validators[i] as Validator).seen
          feeds[i] = watch(from === undefined ? {} : { from })
        }
        note()
        await clock.advance(0)
      }
      for (let i = 0; i < 3; i++) {
        for (let j = 0; j < 3; j++) {
          const done = read(i)
          await clock.advance(10_000)
          await done
        }
        assert.equal(
          shown((validators[i] as Validator).state.values()),
          now(),
          'reliable: nothing is missing',
        )
      }
      registry.close()
      return JSON.stringify(validators.map((validator) => [validator.revisions, validator.resets]))
    }
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.constantFrom(3, 10_000),
        async (steps, maxHistory) => {
          assert.equal(
            await run(steps, maxHistory),
            await run(steps, maxHistory),
            'the same seed gives the same run',
          )
        },
      ),
      { seed: 3, numRuns: 60 },
    )
  })
})
