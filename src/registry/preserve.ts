import { isSilent, type Lease } from './lease.ts'
import type { ResolvedRegistryOptions } from './options.ts'

/** What a look at all leases found. */
export interface Silence {
  /** Leases whose time is up. */
  readonly due: readonly Lease[]
  /** Instances whose owners missed a renewal, and those that were dropped within the last time to live. */
  readonly silent: number
  /** Instances that are known, or were until then. */
  readonly known: number
}

/** Finds the leases whose time is up, and how many went silent with them. */
export function findSilence(leases: Iterable<Lease>, now: number, dropped: number): Silence {
  const due: Lease[] = []
  let silent = dropped
  let known = dropped
  for (const lease of leases) {
    known += lease.instances.size
    if (!isSilent(lease, now)) continue
    silent += lease.instances.size
    if (lease.dueAt <= now) due.push(lease)
  }
  return { due, silent, known }
}

/** Whether so many went silent together that the network, or this registry, is the likelier cause. */
export function isImplausible(silence: Silence, options: ResolvedRegistryOptions): boolean {
  return silence.known >= options.preserveFrom && silence.silent > silence.known * options.maxLostShare
}

/** How many instances were dropped lately. */
export class RecentDrops {
  readonly #windowMs: number
  #drops: { readonly at: number; readonly count: number }[] = []

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  add(count: number, now: number): void {
    if (count > 0) this.#drops.push({ at: now, count })
  }

  count(now: number): number {
    this.#drops = this.#drops.filter((drop) => now - drop.at < this.#windowMs)
    return this.#drops.reduce((sum, drop) => sum + drop.count, 0)
  }
}
