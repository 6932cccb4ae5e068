import { dueAt, isSilent, type Lease } from './lease.ts'
import type { ResolvedRegistryOptions } from './options.ts'

/** What a look at all leases found. */
export interface Silence {
  /** Leases whose time is up. */
  readonly due: readonly Lease[]
  /** Instances whose owners missed a renewal, and those that were dropped within the last time to live. */
  readonly silent: number
  /** Instances that are known, or were until then; without those that nobody expects to be heard of. */
  readonly known: number
  /** When the first of all these leases is due, or was; `Infinity` where there are none. */
  readonly nextDueAt: number
}

/** Finds the leases whose time is up, and how many went silent with them. */
export function findSilence(leases: Iterable<Lease>, now: number, dropped: number): Silence {
  const due: Lease[] = []
  let silent = dropped
  let known = dropped
  let nextDueAt = Number.POSITIVE_INFINITY
  for (const lease of leases) {
    if (lease.ttlMs === Number.POSITIVE_INFINITY) continue
    known += lease.instances.size
    nextDueAt = Math.min(nextDueAt, dueAt(lease))
    if (!isSilent(lease, now)) continue
    silent += lease.instances.size
    if (dueAt(lease) <= now) due.push(lease)
  }
  return { due, silent, known, nextDueAt }
}

/** Whether so many went silent together that the network, or this registry, is the likelier cause. */
export function isImplausible(silence: Silence, options: ResolvedRegistryOptions): boolean {
  return silence.known >= options.preserveFrom && silence.silent > silence.known * options.maxLostShare
}

/** How many instances were dropped lately: each counts for as long as its lease lasted. */
export class RecentDrops {
  // By when they do not count any more.
  readonly #drops = new Map<number, number>()

  add(count: number, until: number): void {
    if (count > 0) this.#drops.set(until, (this.#drops.get(until) ?? 0) + count)
  }

  count(now: number): number {
    let sum = 0
    for (const [until, count] of this.#drops) {
      if (until > now) sum += count
      else this.#drops.delete(until)
    }
    return sum
  }
}
