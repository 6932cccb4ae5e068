import type { Cancel } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { FeedChange } from './api/read-reply.ts'
import { parseRevision } from './api/revision.ts'
import { KnownInstances } from './known-instances.ts'
import { Latest } from './latest.ts'
import type { Snapshot } from './resolver.ts'
import type { DiscoveryRoom } from './source.ts'

/** What it takes to keep what was told. */
export interface ToldOptions {
  readonly room: DiscoveryRoom
  /** How long instances are kept that a doubtful list left out. */
  readonly doubtMs: number
  log(level: 'debug' | 'warn', event: string, what: string): void
}

/** What a source has told of one query, and what is doubted of it, as snapshots. */
export class Told {
  readonly snapshots: Latest<Snapshot> = new Latest()
  readonly #options: ToldOptions
  readonly #known = new KnownInstances()
  #trouble: RpcError | undefined
  #doubt: RpcError | undefined
  #cancelDoubt: Cancel | undefined

  constructor(options: ToldOptions) {
    this.#options = options
  }

  /** Up to where everything was told; undefined before anything was. */
  get revision(): string | undefined {
    return this.#known.revision
  }

  /** How many instances are known, the doubted ones among them. */
  get size(): number {
    return this.#known.instances.size
  }

  /** A complete list, that replaces what was known where it can be believed. */
  replace(instances: readonly Instance[], revision: string): void {
    const { room, doubtMs, log } = this.#options
    const doubt = this.#known.replace(instances, revision)
    if (doubt === undefined) return this.#endDoubt()
    this.#cancelDoubt?.()
    const kept = `${this.#known.doubted} are kept for ${doubtMs / 1000} s`
    this.#doubt = new RpcError('unavailable', `${doubt.reason}; ${kept}`)
    log('warn', 'doubted', this.#doubt.message)
    this.#cancelDoubt = room.clock.afterInBackground(doubtMs, () => {
      log('warn', 'believed', `${this.#known.doubted} instances did not come back: dropped`)
      this.#known.settle()
      this.#endDoubt()
      this.publish()
    })
  }

  /** What changed since the revision that is known. @throws RpcError `data_loss` where it was another list's. */
  change(changes: readonly FeedChange[], revision: string): void {
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

  /** Nothing changed up to this revision. */
  mark(revision: string): void {
    this.#known.mark(revision)
  }

  /** Whether more is known already than up to this revision. */
  isOld(revision: string): boolean {
    const known = this.#known.revision === undefined ? undefined : parseRevision(this.#known.revision)
    const told = parseRevision(revision)
    return known !== undefined && told?.epoch === known.epoch && told.counter < known.counter
  }

  /** The source answers. Tells whether it did not before; that is to be published. */
  answers(): boolean {
    const wasBroken = this.#trouble !== undefined
    this.#trouble = undefined
    return wasBroken
  }

  /** The source cannot be asked: what it said last is stale from now on. */
  broken(error: RpcError): void {
    const wasFirst = this.#trouble === undefined
    this.#trouble = error
    this.#options.log(
      wasFirst ? 'warn' : 'debug',
      'unreachable',
      `cannot tell who is there: ${error.message}`,
    )
    if (wasFirst) this.publish()
  }

  /** Tells the readers how things stand. */
  publish(): Snapshot {
    const { clock } = this.#options.room
    const status =
      this.#known.revision === undefined ? 'lost' : this.#trouble || this.#doubt ? 'stale' : 'live'
    const before = this.snapshots.value
    const reason = this.#trouble ?? this.#doubt
    const snapshot: Snapshot = Object.freeze({
      revision: this.#known.revision ?? '',
      status,
      since: before?.status === status ? before.since : clock.now(),
      instances: this.#known.instances,
      ...(reason !== undefined && { reason }),
    })
    this.snapshots.publish(snapshot)
    return snapshot
  }

  stop(): void {
    this.#cancelDoubt?.()
  }

  /** Where nothing is doubted any longer: all have come back, or were taken out one by one, or their time is up. */
  #endDoubt(): void {
    if (this.#known.doubted > 0) return
    this.#cancelDoubt?.()
    this.#cancelDoubt = undefined
    this.#doubt = undefined
  }
}
