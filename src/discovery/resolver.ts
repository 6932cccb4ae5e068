import type { RpcError } from '../core/error.ts'
import type { Instance, ServiceEntry } from '../core/instance.ts'
import { isInternalName } from '../core/names.ts'

/** What is looked for. An absent field matches everything. */
export interface Query {
  /** Empty: whoever has the method, whatever its service is called. */
  readonly service?: string
  /** What a call names that names no service; looked at only where `service` is empty. */
  readonly method?: string
  readonly version?: string
  readonly protocol?: string
  readonly zone?: string
  /** Every pair must be the instance's too. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** All instances that a resolver knows for a query, at one moment. Immutable. */
export interface Snapshot {
  /** Opaque; grows with each change at the same source. */
  readonly revision: string
  /**
   * `live`: the source says so now. `stale`: the source cannot be reached, this is the last that it said.
   * `lost`: it never said anything yet; `instances` is empty because nothing is known, not because nobody is there.
   */
  readonly status: 'live' | 'stale' | 'lost'
  /** Since when it has this status, by the clock. */
  readonly since: number
  readonly instances: ReadonlyMap<string, Instance>
  /** Why it is not live. */
  readonly reason?: RpcError
}

/** Watches where a service is. */
export interface Resolver {
  /**
   * Snapshots, the first as soon as anything is known or known to be unknown; a slow reader sees only the newest.
   * It never ends by itself and never throws: trouble is a snapshot whose status says so. An error never looks like an
   * empty list. Ends when the signal is aborted or the loop is left.
   */
  watch(query: Query, signal: AbortSignal): AsyncIterable<Snapshot>
  /** Asks the source again now, and resolves with what it says. */
  refresh?(query: Query, signal: AbortSignal): Promise<Snapshot>
}

/** Whether an instance answers a query. */
export function matches(instance: Instance, query: Query): boolean {
  if (query.service !== undefined && instance.services.length > 0) {
    const offers = instance.services.some(
      (entry) => isMeant(entry, query) && (query.version === undefined || entry.version === query.version),
    )
    if (!offers) return false
  }
  if (
    query.protocol !== undefined &&
    !instance.endpoints.some((endpoint) => endpoint.protocol === query.protocol)
  )
    return false
  if (query.zone !== undefined && instance.zone !== query.zone) return false
  for (const [name, value] of Object.entries(query.metadata ?? {})) {
    if (!Object.hasOwn(instance.metadata, name) || instance.metadata[name] !== value) return false
  }
  return true
}

function isMeant({ name, methods }: ServiceEntry, query: Query): boolean {
  if (query.service !== '') return name === query.service
  // A method without a service is never one of Farcall's own.
  if (isInternalName(name)) return false
  return query.method === undefined || methods === undefined || methods.includes(query.method)
}
