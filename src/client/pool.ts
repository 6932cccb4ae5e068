import type { Candidate, CandidateState } from '../balancers/balancer.ts'
import type { Endpoint } from '../core/endpoint.ts'
import type { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { Handler } from '../core/layer.ts'
import type { Logger } from '../core/log.ts'
import type { ClientProtocol, Room } from '../protocols/protocol.ts'
import type { Wire } from '../transports/transport.ts'
import type { PoolOptions } from './pool-options.ts'

export interface EndpointPoolInit {
  readonly instance: Instance
  readonly endpoint: Endpoint
  readonly protocol: ClientProtocol
  /** Opens one connection to the endpoint, TLS included. */
  dial(signal: AbortSignal): Promise<Wire>
  readonly room: Room
  readonly logger?: Logger
  readonly options?: PoolOptions
}

/** How an endpoint is doing, for people and for `client.status()`. */
export interface EndpointStatus {
  /** As it is written: `tcp://10.0.0.5:8089`. */
  readonly endpoint: string
  readonly state: CandidateState | 'draining' | 'closed'
  /** Connections that take calls. */
  readonly sessions: number
  readonly inFlight: number
  readonly latencyMs: number
  readonly successRate: number
  /** What last kept it from being connected, or ended a connection; undefined while all is well. */
  readonly lastError: RpcError | undefined
  /** Since when it has this state, by the clock. */
  readonly since: number
}

/**
 * The connections to one endpoint. It opens the first when it is first used, more when those it has take no more
 * calls, and lets calls wait where there may be no more. It connects anew by itself, with growing, jittered waits.
 */
export interface EndpointPool extends Candidate, AsyncDisposable {
  /** Gives a call to a connection; it waits for one where it must. Ends the call if it turns it away. */
  readonly call: Handler
  /** Told of each change of `state`. */
  onState: (state: CandidateState) => void
  /** Connects if it is idle, so that the first call need not wait. Not where each call has a connection of its own. */
  connect(): void
  status(): EndpointStatus
  /** What is registered has changed, and the endpoint is the same. */
  setInstance(instance: Instance): void
  /** Takes no more calls; those that wait fail as "not executed", those in flight go on; then it closes. */
  drain(): void
  /** Ends all: waits `graceMs` (default 0) for calls in flight, which then fail with the reason. Harmless if repeated. */
  close(reason?: RpcError, graceMs?: number): Promise<void>
}
