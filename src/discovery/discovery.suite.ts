import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseEndpoint } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { VirtualClock } from '../testing/virtual-clock.ts'
import type { Registrar } from './registrar.ts'
import type { Query, Resolver, Snapshot } from './resolver.ts'

/** `down`: refuses connections; `hanging`: takes them and never answers; `empty`: says that nobody is there. */
export type Outage = 'down' | 'hanging' | 'empty'

/**
 * What a source may be unable to do. `details`: it holds no more of an instance than where it is; `draining`: an instance
 * is there or not; `changes`: it tells complete lists, of which an empty one is doubted; `loss`: it takes again what it
 * has forgotten, without a word.
 */
export type Lack = 'details' | 'draining' | 'changes' | 'loss'

/** A source, with what it takes to break it. */
export interface DiscoveryHarness {
  readonly clock: VirtualClock
  readonly lacks?: readonly Lack[]
  /** What is registered: all that the source can hold of an instance. Default: {@link math}. */
  readonly subject?: Instance
  /** What is looked for. Default: everything. */
  readonly query?: Query
  /** What happens is seen within so long. Default 100 ms. */
  readonly soonMs?: number
  /** A source that is restarted again and again is down and up for so long, in turn. Default 2 s. */
  readonly restartMs?: number
  /** A restart is noticed by the registrar within so long. Default 15 s. */
  readonly recoveryMs?: number
  /** How long a list is doubted that is suddenly empty. Default 30 s. */
  readonly doubtMs?: number
  /** How long asking takes to fail where nobody answers. Default 3 s. */
  readonly patienceMs?: number
  newResolver(): Resolver & Partial<AsyncDisposable>
  newRegistrar(): Registrar & Partial<AsyncDisposable>
  cutResolvers(outage: Outage | undefined): void
  cutRegistrars(outage: Outage | undefined): void
  /** The source starts anew and has forgotten everything. */
  restart(): void
  close(): void
}

const ttlMs = 15_000

type Harness = Required<DiscoveryHarness> & { readonly settledMs: number }

function complete(harness: DiscoveryHarness): Harness {
  const defaults = {
    lacks: [],
    subject: math,
    query: {},
    soonMs: 100,
    restartMs: 2_000,
    recoveryMs: 15_000,
    doubtMs: 30_000,
    patienceMs: 3_000,
  }
  const settledMs = Math.max(1_000, harness.soonMs ?? 0)
  return { ...defaults, ...harness, settledMs }
}

/** What every resolver and registrar that belong together must do, whatever the source. */
export function discoverySuite(name: string, createHarness: () => DiscoveryHarness): void {
  describe(`discovery: ${name}`, () => {
    const { lacks, close } = complete(createHarness())
    close()
    const check = (
      what: string,
      run: (harness: Harness) => Promise<void>,
      needs: readonly Lack[] = [],
    ): void => {
      if (needs.some((need) => lacks.includes(need))) return
      void it(what, async () => {
        const harness = complete(createHarness())
        try {
          await run(harness)
        } finally {
          harness.close()
        }
      })
    }

    check('what is registered is seen, with all that was said of it', async (h) => {
      const seen = watch(h)
      const registration = h.newRegistrar().register([h.subject], { ttlMs })
      await h.clock.advance(h.soonMs)
      await registration.ready
      assert.equal(seen.last?.status, 'live')
      const found = seen.last?.instances.get(h.subject.id)
      const { subject } = h
      const expected = h.lacks.includes('details') ? { ...subject, services: [] } : subject
      assert.deepEqual(
        { ...found, metadata: { ...found?.metadata } },
        { ...expected, metadata: { ...subject.metadata } },
      )
      await end(h, registration, seen)
    })

    check('what is renewed stays, for an hour', async (h) => {
      const seen = watch(h)
      const registration = h.newRegistrar().register([h.subject], { ttlMs })
      await h.clock.advance(3_600_000)
      assert.deepEqual(seen.ids(), [h.subject.id])
      assert.equal(seen.all.filter((snapshot) => snapshot.instances.size === 1).length, 1, 'no flapping')
      await end(h, registration, seen)
    })

    check(
      'who is silent is gone after its time to live',
      async (h) => {
        const seen = watch(h)
        const registration = h.newRegistrar().register([h.subject], { ttlMs })
        await h.clock.advance(h.soonMs)
        h.cutRegistrars('hanging')
        await h.clock.advance(ttlMs - 6_000)
        assert.deepEqual(seen.ids(), [h.subject.id])
        await h.clock.advance(7_000)
        assert.deepEqual(seen.ids(), [])
        assert.equal(seen.last?.status, 'live', 'the source says that nobody is there')
        await end(h, registration, seen)
      },
      ['changes'],
    )

    check(
      'an update, draining and leaving are seen at once',
      async (h) => {
        const seen = watch(h)
        const registration = h.newRegistrar().register([h.subject], { ttlMs })
        await h.clock.advance(h.soonMs)
        const updated = registration.update([
          { ...h.subject, services: [{ name: 'text' }, { name: 'math' }] },
        ])
        await h.clock.advance(h.soonMs)
        await updated
        assert.equal(seen.last?.instances.get(h.subject.id)?.services.length, 2)
        const drained = registration.drain()
        await h.clock.advance(h.soonMs)
        await drained
        assert.equal(
          seen.last?.instances.get(h.subject.id)?.status,
          'draining',
          'a draining instance is still there',
        )
        const closed = registration.close()
        await h.clock.advance(h.soonMs)
        await closed
        assert.deepEqual(seen.ids(), [])
        await registration.close()
        await end(h, registration, seen)
      },
      ['details', 'draining'],
    )

    check(
      'only what a query asks for is seen',
      async (h) => {
        const queries: Query[] = [
          { service: 'math' },
          { service: 'math', version: '2' },
          { service: 'text' },
          { protocol: 'geerpc' },
          { zone: 'west' },
          { metadata: { canary: 'yes' } },
          { metadata: JSON.parse('{"__proto__":"x"}') },
        ]
        const watches = queries.map((query) => watch(h, query))
        const registration = h.newRegistrar().register([h.subject], { ttlMs })
        await h.clock.advance(h.soonMs)
        const found = watches.map((seen) => seen.ids().length)
        assert.deepEqual(found, [1, 0, 0, 0, 1, 1, 1])
        await end(h, registration, ...watches)
      },
      ['details'],
    )

    check('a server starts while the source is down, and is registered when it comes', async (h) => {
      h.cutRegistrars('down')
      h.cutResolvers('down')
      const seen = watch(h)
      const registration = h.newRegistrar().register([h.subject], { ttlMs })
      await h.clock.advance(60_000)
      assert.equal(seen.last?.status, 'lost')
      assert.ok(seen.last?.reason instanceof RpcError)
      assert.equal(registration.taken, false)
      assert.ok(registration.trouble instanceof RpcError)
      h.cutRegistrars(undefined)
      h.cutResolvers(undefined)
      await h.clock.advance(6_000 + h.soonMs)
      await registration.ready
      assert.equal(registration.taken, true)
      assert.equal(registration.trouble, undefined)
      assert.deepEqual(seen.ids(), [h.subject.id])
      assert.equal(seen.last?.status, 'live')
      await end(h, registration, seen)
    })

    for (const outage of ['down', 'hanging'] as const) {
      check(
        `nobody is dropped while the source is ${outage} for 10 minutes, and all is live again`,
        async (h) => {
          const seen = watch(h)
          const registration = h.newRegistrar().register([h.subject], { ttlMs })
          await h.clock.advance(h.settledMs)
          h.cutRegistrars(outage)
          h.cutResolvers(outage)
          await h.clock.advance(600_000)
          assert.ok(registration.trouble instanceof RpcError)
          assert.equal(registration.taken, true)
          assert.deepEqual(seen.ids(), [h.subject.id])
          assert.equal(seen.last?.status, 'stale')
          assert.ok(seen.last.since < 30_000, 'stale since the outage was noticed')
          h.cutRegistrars(undefined)
          h.cutResolvers(undefined)
          await h.clock.advance(10_000 + h.soonMs)
          assert.equal(registration.trouble, undefined)
          assert.equal(seen.last?.status, 'live')
          assert.deepEqual(seen.ids(), [h.subject.id])
          await end(h, registration, seen)
        },
      )
    }

    check(
      'a source that forgot everything is told again, and nobody sees an empty list',
      async (h) => {
        const seen = watch(h)
        const registration = h.newRegistrar().register([h.subject], { ttlMs })
        let lost: RpcError | undefined
        registration.onLost = (reason) => (lost = reason)
        await h.clock.advance(h.settledMs)
        const from = seen.all.length
        h.restart()
        await h.clock.advance(12_000)
        assert.equal(lost?.code, 'aborted')
        for (const snapshot of seen.all.slice(from)) assert.equal(snapshot.instances.size, 1)
        assert.equal(seen.last?.status, 'live')
        const incarnation = seen.last.instances.get(h.subject.id)?.incarnation ?? 0
        if (!h.lacks.includes('details')) assert.ok(incarnation > h.subject.incarnation)
        await end(h, registration, seen)
      },
      ['loss'],
    )

    check('a restart is survived however often it happens', async (h) => {
      const seen = watch(h)
      const registration = h.newRegistrar().register([h.subject], { ttlMs })
      await h.clock.advance(h.settledMs)
      const from = seen.all.length
      for (let i = 0; i < 30; i++) {
        h.cutRegistrars('down')
        h.cutResolvers('down')
        await h.clock.advance(h.restartMs)
        h.restart()
        h.cutRegistrars(undefined)
        h.cutResolvers(undefined)
        await h.clock.advance(h.restartMs)
      }
      await h.clock.advance(h.recoveryMs)
      for (const snapshot of seen.all.slice(from)) assert.equal(snapshot.instances.size, 1)
      assert.equal(seen.last?.status, 'live')
      await end(h, registration, seen)
    })

    check('an empty answer is doubted for a time, then believed', async (h) => {
      const seen = watch(h)
      const registration = h.newRegistrar().register([h.subject], { ttlMs })
      await h.clock.advance(h.settledMs)
      h.cutResolvers('down')
      await h.clock.advance(h.soonMs)
      h.cutResolvers('empty')
      await h.clock.advance(5_000 + h.soonMs)
      assert.deepEqual(seen.ids(), [h.subject.id])
      assert.equal(seen.last?.status, 'stale')
      assert.match(seen.last.reason?.message ?? '', /names none of 1/)
      await h.clock.advance(h.doubtMs)
      assert.deepEqual(seen.ids(), [])
      await end(h, registration, seen)
    })

    for (const outage of [undefined, 'down', 'hanging'] as const) {
      check(`closing takes a second at most where the source is ${outage ?? 'there'}`, async (h) => {
        const registrar = h.newRegistrar()
        const registration = registrar.register([h.subject], { ttlMs })
        await h.clock.advance(h.settledMs)
        h.cutRegistrars(outage)
        await h.clock.advance(7_000)
        let closed = false
        registration.close().then(() => (closed = true), assert.fail)
        await h.clock.advance(1_000)
        assert.ok(closed)
        await registrar[Symbol.asyncDispose]?.()
        await registrar[Symbol.asyncDispose]?.()
        await h.clock.advance(10_000)
        assert.equal(h.clock.timers, 0, 'nothing goes on after the end')
      })
    }

    check('a registration that is closed before it could succeed says so', async (h) => {
      h.cutRegistrars('down')
      const registration = h.newRegistrar().register([h.subject], { ttlMs })
      const refused = assert.rejects(registration.ready, { code: 'cancelled' })
      const closed = registration.close()
      await h.clock.advance(1_000)
      await Promise.all([refused, closed])
    })

    check(
      'a reader that is slow sees only the newest',
      async (h) => {
        const resolver = h.newResolver()
        const stop = new AbortController()
        const snapshots = resolver.watch(h.query, stop.signal)[Symbol.asyncIterator]()
        const registration = h.newRegistrar().register([h.subject], { ttlMs })
        await h.clock.advance(h.soonMs)
        for (let i = 0; i < 20; i++) {
          void registration.update([{ ...h.subject, zone: `zone-${i + 1}` }])
          await h.clock.advance(100)
        }
        await h.clock.advance(h.soonMs)
        const first = await snapshots.next()
        assert.equal(first.value?.instances.get(h.subject.id)?.zone, 'zone-20')
        stop.abort()
        assert.equal((await snapshots.next()).done, true)
        await registration.close()
      },
      ['details'],
    )

    check('asking now gives the newest, and an error where nobody answers', async (h) => {
      const resolver = h.newResolver()
      if (resolver.refresh === undefined) return
      const registration = h.newRegistrar().register([h.subject], { ttlMs })
      await h.clock.advance(h.soonMs)
      const never = new AbortController().signal
      assert.deepEqual([...(await resolver.refresh(h.query, never)).instances.keys()], [h.subject.id])
      h.cutResolvers('hanging')
      const refused = assert.rejects(resolver.refresh(h.query, never), { code: 'deadline_exceeded' })
      await h.clock.advance(h.patienceMs)
      await refused
      await registration.close()
      await resolver[Symbol.asyncDispose]?.()
    })

    check('nobody can be registered at an address that means every address', async (h) => {
      const registrar = h.newRegistrar()
      for (const host of ['0.0.0.0', '[::]', '[0:0:0:0:0:0:0:0]', '[::ffff:0.0.0.0]']) {
        const endpoints = [parseEndpoint(`tcp://${host}:8089`)]
        assert.throws(() => registrar.register([{ ...h.subject, endpoints }], { ttlMs }), {
          code: 'invalid_argument',
          message: /endpoints\[0\].*no address of one machine/,
        })
      }
      await registrar[Symbol.asyncDispose]?.()
    })
  })
}

/** An instance with everything. */
export const math: Instance = {
  id: 'math-1',
  incarnation: 1,
  services: [{ name: 'math', version: '1' }],
  endpoints: [parseEndpoint('tcp://10.0.0.5:8089'), parseEndpoint('json-rpc+tcp://[::1]:8090')],
  weight: 2,
  zone: 'west',
  metadata: JSON.parse('{"canary":"yes","__proto__":"x"}'),
  status: 'up',
}

interface Seen {
  readonly all: Snapshot[]
  readonly last: Snapshot | undefined
  ids(): string[]
  stop(): void
}

/** Reads every snapshot as soon as it is there. */
export function watch(harness: DiscoveryHarness, query: Query = harness.query ?? {}): Seen {
  const stop = new AbortController()
  const all: Snapshot[] = []
  const read = async () => {
    for await (const snapshot of harness.newResolver().watch(query, stop.signal)) all.push(snapshot)
  }
  read().catch(assert.fail)
  return {
    all,
    get last() {
      return all.at(-1)
    },
    ids: () => [...(all.at(-1)?.instances.keys() ?? [])],
    stop: () => stop.abort(),
  }
}

async function end(harness: DiscoveryHarness, registration: AsyncDisposable, ...seen: Seen[]): Promise<void> {
  const closed = registration[Symbol.asyncDispose]()
  for (const one of seen) one.stop()
  await harness.clock.advance(1_500)
  await closed
  assert.equal(harness.clock.timers, 0, 'nothing goes on after the end')
}
