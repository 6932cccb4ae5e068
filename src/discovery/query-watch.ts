import { type Cancel, sleep } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { ListRequest, WatchRequest } from './api/messages.ts'
import { type FeedChange, type FeedNews, readFeedItem, readPage } from './api/read-reply.ts'
import { parseRevision } from './api/revision.ts'
import { backoffMs } from './backoff.ts'
import { askRegistry, type RegistryLine, watchRegistry } from './call-registry.ts'
import { KnownInstances } from './known-instances.ts'
import { Latest } from './latest.ts'
import type { Query, Snapshot } from './resolver.ts'
import type { DiscoveryRoom } from './source.ts'

/** A registry says something every 10 s at least; one that has not for 25 s is dead, whatever its connection says. */
const silenceMs = 25_000
/** How long instances are kept that a doubtful list left out: twice what servers take to register again. */
const doubtMs = 30_000
/** A watch that lived so long has earned a quick reconnect. */
const provenMs = 5_000
/** Parts of one snapshot or delta; more are not from a registry. */
const maxParts = 10_000

/** Follows one query at a registry, for ever, and tells what is known of it. */
export class QueryWatch {
  readonly snapshots: Latest<Snapshot> = new Latest()
  readonly #query: Query
  readonly #line: RegistryLine
  readonly #room: DiscoveryRoom
  readonly #target: string
  readonly #stop = new AbortController()
  readonly #known = new KnownInstances()
  #failures = 0
  #connected = false
  #trouble: RpcError | undefined
  #doubt: RpcError | undefined
  #cancelDoubt: Cancel | undefined

  constructor(query: Query, line: RegistryLine, options: { room: DiscoveryRoom; target: string }) {
    this.#query = query
    this.#line = line
    this.#room = options.room
    this.#target = options.target
  }

  /** Never rejects; resolves when it is stopped. */
  async run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const since = this.#room.clock.now()
      try {
        await this.#follow(signal)
      } catch (thrown) {
        if (signal.aborted) return
        // One that breaks as soon as it is there must not be asked in a tight loop.
        if (this.#connected && this.#room.clock.now() - since >= provenMs) this.#failures = 0
        this.#broken(RpcError.from(thrown))
      }
      const waitMs = backoffMs(++this.#failures, this.#room.random)
      await sleep(this.#room.clock, waitMs, signal).catch(() => {})
    }
  }

  stop(): void {
    this.#stop.abort()
    this.#cancelDoubt?.()
  }

  /** Asks now. @throws RpcError where the registry does not answer. */
  async refresh(signal: AbortSignal): Promise<Snapshot> {
    const either = AbortSignal.any([signal, this.#stop.signal])
    const instances: Instance[] = []
    let revision: string | undefined
    let after = 0
    for (;;) {
      const request: ListRequest = { query: this.#query, ...(after > 0 && { after }) }
      const page = readPage(await askRegistry(this.#line, 'list', request, { signal: either }))
      instances.push(...page.instances)
      // What the later pages tell is newer, and may be told again by the watch; that does no harm.
      revision ??= page.revision
      if (page.next === undefined || page.next <= after) break
      after = page.next
    }
    if (!this.#isOld(revision)) this.#replace(instances, revision)
    this.#trouble = undefined
    return this.#publish()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    this.#connected = false
    const from = this.#known.revision
    const request: WatchRequest = { query: this.#query, ...(from !== undefined && { from }) }
    let parts: FeedNews[] = []
    for await (const value of watchRegistry(this.#line, request, { silenceMs, signal })) {
      if (signal.aborted) return
      const news = readFeedItem(value)
      if (news === undefined) continue
      parts.push(news)
      if (parts.length > maxParts) throw new RpcError('data_loss', 'the registry sends parts without end')
      if (news.kind !== 'bookmark' && news.more) continue
      this.#take(parts, news)
      parts = []
    }
  }

  #take(parts: readonly FeedNews[], last: FeedNews): void {
    const wasConnected = this.#connected
    const { revision } = last
    // What a refresh told in between is not told again.
    const isNews = last.kind === 'snapshot' || !this.#isOld(revision)
    if (isNews) {
      switch (last.kind) {
        case 'snapshot':
          this.#replace(
            parts.flatMap((part) => (part.kind === 'snapshot' ? part.instances : [])),
            revision,
          )
          break
        case 'delta':
          this.#change(
            parts.flatMap((part) => (part.kind === 'delta' ? part.changes : [])),
            revision,
          )
          break
        case 'bookmark':
          this.#known.mark(revision)
          break
      }
    }
    this.#connected = true
    this.#trouble = undefined
    if (!wasConnected) this.#log('debug', 'watching', `watching, ${this.#known.instances.size} instances`)
    if (!wasConnected || (isNews && last.kind !== 'bookmark')) this.#publish()
  }

  #replace(instances: readonly Instance[], revision: string): void {
    const doubt = this.#known.replace(instances, revision)
    if (doubt === undefined) return this.#endDoubt()
    this.#cancelDoubt?.()
    const kept = `${this.#known.doubted} are kept for ${doubtMs / 1000} s`
    this.#doubt = new RpcError('unavailable', `${doubt.reason}; ${kept}`)
    this.#log('warn', 'doubted', this.#doubt.message)
    this.#cancelDoubt = this.#room.clock.afterInBackground(doubtMs, () => {
      this.#log('warn', 'believed', `${this.#known.doubted} instances did not come back: dropped`)
      this.#known.settle()
      this.#endDoubt()
      this.#publish()
    })
  }

  /** Where nothing is doubted any longer: all have come back, or were taken out one by one, or their time is up. */
  #endDoubt(): void {
    if (this.#known.doubted > 0) return
    this.#cancelDoubt?.()
    this.#cancelDoubt = undefined
    this.#doubt = undefined
  }

  #change(changes: readonly FeedChange[], revision: string): void {
    const from = this.#known.revision
    const expected = from === undefined ? undefined : parseRevision(from)?.epoch
    if (parseRevision(revision)?.epoch !== expected) {
      throw new RpcError(
        'data_loss',
        `the registry sent changes to revision ${revision}, of a list that is not known`,
      )
    }
    this.#known.apply(changes, revision)
    this.#endDoubt()
  }

  /** Whether more is known already than up to this revision. */
  #isOld(revision: string): boolean {
    const known = this.#known.revision === undefined ? undefined : parseRevision(this.#known.revision)
    const told = parseRevision(revision)
    return known !== undefined && told?.epoch === known.epoch && told.counter < known.counter
  }

  #broken(error: RpcError): void {
    const wasFirst = this.#trouble === undefined
    this.#connected = false
    this.#trouble = error
    this.#log(wasFirst ? 'warn' : 'debug', 'unreachable', `cannot be watched: ${error.message}`)
    if (wasFirst) this.#publish()
  }

  #publish(): Snapshot {
    const status =
      this.#known.revision === undefined ? 'lost' : this.#trouble || this.#doubt ? 'stale' : 'live'
    const before = this.snapshots.value
    const reason = this.#trouble ?? this.#doubt
    const snapshot: Snapshot = Object.freeze({
      revision: this.#known.revision ?? '',
      status,
      since: before?.status === status ? before.since : this.#room.clock.now(),
      instances: this.#known.instances,
      ...(reason !== undefined && { reason }),
    })
    this.snapshots.publish(snapshot)
    return snapshot
  }

  #log(level: 'debug' | 'warn', event: string, what: string): void {
    const fields = { event: `resolver.${event}`, registry: this.#target, query: this.#query }
    this.#room.logger[level](fields, `${this.#target}: ${what}`)
  }
}
