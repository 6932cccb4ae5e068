/** What keeps the instances of one process registered: it lives as long as it is renewed. */
export interface Lease {
  readonly id: string
  /** Of the last request that changed it. */
  incarnation: number
  ttlMs: number
  /** When it was last heard of. */
  seenAt: number
  /** When it ends if it is not heard of. */
  dueAt: number
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
    seenAt: 0,
    dueAt: 0,
    suspectSince: undefined,
    instances: new Set(),
    taken: new Set(),
  }
}

/** Its owner was heard of. */
export function touch(lease: Lease, now: number): void {
  lease.seenAt = now
  lease.dueAt = now + lease.ttlMs
}

/**
 * Whether a renewal is missing. Owners renew every third of the time to live, give or take a tenth, so a lease of a
 * living owner is at most 0.37 of it old. Of those cut off at the same moment, the youngest is 0.63 of it old when the
 * oldest ends: 0.6 tells them from the others while it is still time to spare them all.
 */
export function isSilent(lease: Lease, now: number): boolean {
  return now - (lease.dueAt - lease.ttlMs) > lease.ttlMs * 0.6
}

/** The lease was not seen to be renewed while the registry itself stood still: that time does not count. */
export function forgive(lease: Lease, latenessMs: number): void {
  if (latenessMs > lease.ttlMs / 3) lease.dueAt += latenessMs
}
