import type { Query } from '../resolver.ts'
import type { InstanceData } from './instance-data.ts'

// The API of the service `farcall.registry`, as both sides write it. Times are relative: clocks of two machines agree
// on nothing.

/** The name of the service that a registry offers. */
export const registryService = 'farcall.registry'
/** Where a registry listens if nothing is said. */
export const defaultRegistryPort = 9999

/** Names a lease. Of two requests for one lease that with the higher incarnation wins, however late the other comes. */
export interface LeaseRef {
  readonly id: string
  readonly incarnation: number
}

/** All that the lease holds from now on: what it held before and is not among `instances` is taken back. */
export interface RegisterRequest {
  readonly lease: LeaseRef & { readonly ttlMs?: number }
  readonly instances: readonly InstanceData[]
}

export interface RegisterReply {
  readonly revision: string
  /** How long the lease now lasts without a renewal. */
  readonly ttlMs: number
}

/** Renews many leases at once. */
export interface RenewRequest {
  readonly leases: readonly LeaseRef[]
}

/** Those that were not renewed as they stand; the others were. Nothing where all were, which is the answer to nearly all. */
export interface RenewReply {
  readonly lost?: readonly LostLease[]
}

/**
 * `unknown`: the registry has no such lease (it expired, or the registry was restarted): register again.
 * `superseded`: somebody newer has the lease, or some of its instances (`instances`): stop announcing those.
 */
export interface LostLease {
  readonly id: string
  readonly reason: 'unknown' | 'superseded'
  readonly instances?: readonly string[]
}

export interface LeaseRequest {
  readonly lease: LeaseRef
  /** Only these of the lease's instances; default all. */
  readonly instances?: readonly string[]
}

export interface ListRequest {
  readonly query?: Query
  /** `next` of the page before. */
  readonly after?: number
}

export interface ListReply {
  readonly revision: string
  readonly instances: readonly InstanceData[]
  /** There is more: ask again with this as `after`. */
  readonly next?: number
}

/** How the registry sees whoever asks; without a host where the connection has none (a unix socket). */
export interface OriginReply {
  readonly host?: string
}

export interface WatchRequest {
  readonly query?: Query
  /** The last revision that the watcher has seen in full; without it the watch begins with a snapshot. */
  readonly from?: string
}

/** Why an instance is gone; `changed`: it is still there, but no longer what the query asks for. */
export type GoneReason = 'expired' | 'unregistered' | 'superseded' | 'changed'

export type Change =
  | { readonly type: 'up'; readonly instance: InstanceData }
  | {
      readonly type: 'gone'
      readonly id: string
      readonly incarnation: number
      readonly reason: GoneReason
      /** How long before its end it was heard of for the last time. */
      readonly lastSeenMs?: number
    }

/**
 * What a watch yields. It begins with a complete snapshot, or, resumed, with what changed since; then changes in
 * order, none left out, several at once for a slow reader. `reset` says that the registry cannot tell what changed
 * since `from`. Where `more` is set, the item is a part: it counts only when the last part is there.
 */
export type FeedItem =
  | {
      readonly kind: 'snapshot'
      readonly revision: string
      readonly reset: boolean
      readonly instances: readonly InstanceData[]
      readonly more?: true
    }
  | {
      readonly kind: 'delta'
      readonly revision: string
      readonly changes: readonly Change[]
      readonly more?: true
    }
  | { readonly kind: 'bookmark'; readonly revision: string }

/** The reasons that a refusal (`aborted`) names in `RpcError.reason`. */
export const refusals = { leaseLost: 'lease_lost', superseded: 'superseded' } as const
