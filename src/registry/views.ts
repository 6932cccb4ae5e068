import type { Change, FeedItem, ListReply } from '../discovery/api/messages.ts'
import { queryKey } from '../discovery/api/read-query.ts'
import { formatRevision, parseRevision } from '../discovery/api/revision.ts'
import { matches, type Query } from '../discovery/resolver.ts'
import type { Held } from './held.ts'
import type { HeldChange, History } from './history.ts'

// A part of a snapshot or delta, or a page of a list: far below the largest message, and small enough to let others
// pass in between.
const partBytes = 512 * 1024
// How many answers are kept until the next change. More different ones are made anew.
const maxCached = 1_000

/** What the registry holds, as the views need it. */
export interface Viewed {
  readonly epoch: string
  readonly history: History
  readonly held: ReadonlyMap<string, Held>
}

/**
 * What watchers are told. Until the next change the same question has the same answer, so it is made once: a thousand
 * watchers of one service share one frozen delta.
 */
export class Views {
  readonly #of: Viewed
  readonly #cache = new Map<string, readonly FeedItem[]>()
  #revision = ''
  #counter = -1

  constructor(of: Viewed) {
    this.#of = of
  }

  /** The revision now. */
  get revision(): string {
    const { counter } = this.#of.history
    if (counter !== this.#counter) {
      this.#counter = counter
      this.#revision = formatRevision({ epoch: this.#of.epoch, counter })
    }
    return this.#revision
  }

  /** Something changed: no answer holds any longer. */
  clear(): void {
    this.#cache.clear()
  }

  /** All that matches, in parts. */
  snapshot(query: Query, reset: boolean): readonly FeedItem[] {
    return this.#cached(`${reset ? 'reset' : 'all'} ${queryKey(query)}`, () => {
      const held = [...this.#of.held.values()].filter((one) => matches(one.instance, query))
      const { revision } = this
      return inParts(
        held,
        (one) => one.size,
        (part, more) => ({
          kind: 'snapshot',
          revision,
          reset,
          instances: Object.freeze(part.map((one) => one.data)),
          ...(more && { more: true as const }),
        }),
      )
    })
  }

  /** What changed after a revision, in parts, perhaps none; undefined where that is not known (any more). */
  since(query: Query, from: string): readonly FeedItem[] | undefined {
    // Every watcher asks again once it has been told.
    if (from === this.revision) return []
    const seen = parseRevision(from)
    const { epoch, history } = this.#of
    if (seen === undefined || seen.epoch !== epoch || !history.reaches(seen.counter)) return undefined
    if (seen.counter === history.counter) return []
    return this.#cached(`${seen.counter} ${queryKey(query)}`, () => {
      const changes = netChanges(history.since(seen.counter), query)
      if (changes.length === 0) return []
      const { revision } = this
      return inParts(changes, sizeOfChange, (part, more) => ({
        kind: 'delta',
        revision,
        changes: Object.freeze(part.map((one) => one.change)),
        ...(more && { more: true as const }),
      }))
    })
  }

  /** One page of all that matches. */
  list(query: Query, after: number): ListReply {
    const instances = []
    let room = partBytes
    let last = after
    for (const one of this.#of.held.values()) {
      if (one.order <= after || !matches(one.instance, query)) continue
      if (room <= 0) return { revision: this.revision, instances, next: last }
      instances.push(one.data)
      room -= one.size
      last = one.order
    }
    return { revision: this.revision, instances }
  }

  #cached(key: string, make: () => readonly FeedItem[]): readonly FeedItem[] {
    const known = this.#cache.get(key)
    if (known !== undefined) return known
    const made = make()
    if (this.#cache.size < maxCached) this.#cache.set(key, made)
    return made
  }
}

interface SizedChange {
  readonly change: Change
  readonly size: number
}

/** What many changes come to, for one query: at most one for each instance. */
function netChanges(changes: Iterable<HeldChange>, query: Query): SizedChange[] {
  const net = new Map<string, HeldChange>()
  for (const change of changes) {
    const earlier = net.get(change.id)
    net.set(change.id, earlier === undefined ? change : { ...change, before: earlier.before })
  }
  const told: SizedChange[] = []
  for (const { id, before, after, reason, lastSeenMs } of net.values()) {
    if (after !== undefined && matches(after.instance, query)) {
      if (after === before) continue
      told.push({ change: Object.freeze({ type: 'up', instance: after.data }), size: after.size })
    } else if (before !== undefined && matches(before.instance, query)) {
      const gone: Change = {
        type: 'gone',
        id,
        incarnation: (after ?? before).instance.incarnation,
        reason: after === undefined ? (reason ?? 'unregistered') : 'changed',
        ...(after === undefined && lastSeenMs !== undefined && { lastSeenMs }),
      }
      told.push({ change: Object.freeze(gone), size: 64 + id.length })
    }
  }
  return told
}

function sizeOfChange(change: SizedChange): number {
  return change.size
}

/** Cuts a list into frozen items of about {@link partBytes}; at least one, also for an empty list. */
function inParts<T>(
  list: readonly T[],
  size: (one: T) => number,
  make: (part: T[], more: boolean) => FeedItem,
): FeedItem[] {
  const items: FeedItem[] = []
  let part: T[] = []
  let room = partBytes
  for (const one of list) {
    if (room <= 0) {
      items.push(Object.freeze(make(part, true)))
      part = []
      room = partBytes
    }
    part.push(one)
    room -= size(one)
  }
  items.push(Object.freeze(make(part, false)))
  return items
}
