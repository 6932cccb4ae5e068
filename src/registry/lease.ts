/** How long a lease lasts. */
export interface LeaseTerms {
  /** Without a renewal, in milliseconds; `Infinity`: until it is given back. */
  readonly ttlMs: number
  /**
   * When a renewal is missing: after a silence that is longer than any of a living owner. Default 0.6 of `ttlMs`, for
   * owners that renew every third of it.
   */
  readonly silentAfterMs?: number | undefined
}

/** What keeps the instances of one process registered: it lives as long as it is renewed. */
export interface Lease {
  readonly id: string
  /** Of the last request that changed it. */
  incarnation: number
  ttlMs: number
  silentAfterMs: number
  /** When it was last heard of. */
  seenAt: number
  /** From when its time counts: the same, or later where the registry itself stood still meanwhile. */
  countsFrom: number
  /** Since when it should have ended, had not too many done so at once; undefined while all is well. */
  suspectSince: number | undefined
  /** The ids of its instances. */
  readonly instances: Set<string>
  /** Ids of instances that somebody newer took, until the owner has registered without them. */
  readonly taken: Set<string>
}

export function createLease(id: string): Lease {
  return {
    id,
    incarnation: 0,
    ttlMs: 0,
    silentAfterMs: 0,
    seenAt: 0,
    countsFrom: 0,
    suspectSince: undefined,
    instances: new Set(),
    taken: new Set(),
  }
}

/** From now on it lasts as long as its owner says. */
export function setTerms(lease: Lease, { ttlMs, silentAfterMs = ttlMs * 0.6 }: LeaseTerms): void {
  lease.ttlMs = ttlMs
  lease.silentAfterMs = silentAfterMs
}

/** Its owner was heard of. */
export function touch(lease: Lease, now: number): void {
  lease.seenAt = now
  lease.countsFrom = now
}

/** When its time is up. */
export function dueAt(lease: Lease): number {
  return lease.countsFrom + lease.ttlMs
}

/**
 * Whether a renewal is missing. Owners of ours renew every third of the time to live, give or take a tenth, so a lease of
 * a living owner is at most 0.37 of it old. Of those cut off at the same moment, the youngest is 0.63 of it old when the
 * oldest ends: 0.6 tells them from the others while it is still time to spare them all. Older peers renew less often, and
 * say so in their terms.
 */
export function isSilent(lease: Lease, now: number): boolean {
  return now - lease.countsFrom > lease.silentAfterMs
}

/** The lease was not seen to be renewed while the registry itself stood still: that time does not count. */
export function forgive(lease: Lease, latenessMs: number): void {
  const { ttlMs, silentAfterMs } = lease
  if (latenessMs > ttlMs / 3 || latenessMs > ttlMs - silentAfterMs) lease.countsFrom += latenessMs
}
