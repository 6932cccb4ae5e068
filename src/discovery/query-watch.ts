import { sleep } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { ListRequest, WatchRequest } from './api/messages.ts'
import { type FeedNews, readFeedItem, readPage } from './api/read-reply.ts'
import { backoffMs } from './backoff.ts'
import { askRegistry, type RegistryLine, watchRegistry } from './call-registry.ts'
import type { Latest } from './latest.ts'
import type { Query, Snapshot } from './resolver.ts'
import type { Watch } from './shared-watches.ts'
import type { DiscoveryRoom } from './source.ts'
import { Told } from './told.ts'

/** A registry says something every 10 s at least; one that has not for 25 s is dead, whatever its connection says. */
const silenceMs = 25_000
/** How long instances are kept that a doubtful list left out: twice what servers take to register again. */
const doubtMs = 30_000
/** A watch that lived so long has earned a quick reconnect. */
const provenMs = 5_000
/** Parts of one snapshot or delta; more are not from a registry. */
const maxParts = 10_000

/** Follows one query at a registry, for ever, and tells what is known of it. */
export class QueryWatch implements Watch {
  readonly #query: Query
  readonly #line: RegistryLine
  readonly #room: DiscoveryRoom
  readonly #target: string
  readonly #stop = new AbortController()
  readonly #told: Told
  #failures = 0
  #connected = false

  constructor(query: Query, line: RegistryLine, options: { room: DiscoveryRoom; target: string }) {
    this.#query = query
    this.#line = line
    this.#room = options.room
    this.#target = options.target
    const log = this.#log.bind(this)
    this.#told = new Told({ room: options.room, doubtMs, log })
  }

  get snapshots(): Latest<Snapshot> {
    return this.#told.snapshots
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
        this.#connected = false
        this.#told.broken(RpcError.from(thrown))
      }
      const waitMs = backoffMs(++this.#failures, this.#room.random)
      await sleep(this.#room.clock, waitMs, signal).catch(() => {})
    }
  }

  stop(): void {
    this.#stop.abort()
    this.#told.stop()
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
    if (!this.#told.isOld(revision)) this.#told.replace(instances, revision)
    this.#told.answers()
    return this.#told.publish()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    this.#connected = false
    const from = this.#told.revision
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
    const isNews = last.kind === 'snapshot' || !this.#told.isOld(revision)
    if (isNews) {
      switch (last.kind) {
        case 'snapshot':
          this.#told.replace(
            parts.flatMap((part) => (part.kind === 'snapshot' ? part.instances : [])),
            revision,
          )
          break
        case 'delta':
          this.#told.change(
            parts.flatMap((part) => (part.kind === 'delta' ? part.changes : [])),
            revision,
          )
          break
        case 'bookmark':
          this.#told.mark(revision)
          break
      }
    }
    this.#connected = true
    this.#told.answers()
    if (!wasConnected) this.#log('debug', 'watching', `watching, ${this.#told.size} instances`)
    if (!wasConnected || (isNews && last.kind !== 'bookmark')) this.#told.publish()
  }

  #log(level: 'debug' | 'warn', event: string, what: string): void {
    const fields = { event: `resolver.${event}`, registry: this.#target, query: this.#query }
    this.#room.logger[level](fields, `${this.#target}: ${what}`)
  }
}
