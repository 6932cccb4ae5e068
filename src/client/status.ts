import type { Clock } from '../core/clock.ts'
import type { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { Cluster } from './cluster.ts'
import type { EndpointPool, EndpointStatus } from './pool.ts'

/** One endpoint of a service, and whether it can be called. */
export interface EndpointView extends EndpointStatus {
  readonly instance: Instance
  /** It takes calls now, or will as soon as one comes. */
  readonly usable: boolean
}

/** What a client knows of where one service is. */
export interface ServiceStatus {
  readonly service: string
  readonly version: string | undefined
  /** `unknown` until the source has said something; else as the snapshot has it. */
  readonly discovery: 'unknown' | 'live' | 'stale' | 'lost'
  /** For how long that has been so. */
  readonly discoveryAgeMs: number
  /** Why discovery is not live. */
  readonly reason: RpcError | undefined
  readonly endpoints: readonly EndpointView[]
}

/** How a client is doing. */
export interface ClientStatus {
  readonly state: 'open' | 'closing' | 'closed'
  /** Where it looks for servers. */
  readonly source: string
  /** Calls that have not ended. */
  readonly pendingCalls: number
  /** The services that were used so far. */
  readonly services: readonly ServiceStatus[]
  /** Every endpoint that it holds, each once. */
  readonly endpoints: readonly EndpointView[]
}

export function viewEndpoint(pool: EndpointPool): EndpointView {
  const status = pool.status()
  const { state } = status
  const usable = state === 'idle' || state === 'ready'
  return { ...status, instance: pool.instance, usable: usable && pool.instance.status === 'up' }
}

export function viewService(cluster: Cluster, clock: Clock): ServiceStatus {
  const { snapshot, query } = cluster
  return {
    service: query.service ?? '',
    version: query.version,
    discovery: snapshot?.status ?? 'unknown',
    discoveryAgeMs: snapshot === undefined ? 0 : Math.max(0, clock.now() - snapshot.since),
    reason: snapshot?.reason,
    endpoints: cluster.candidates.map(viewEndpoint),
  }
}
