import type { ServiceClient } from './types.ts'
import type { ClientStatus, EndpointView } from './status.ts'

/** What `connect` gives: clients of services, and a look at where they are. */
export interface FarcallClient extends ServiceClient, AsyncDisposable {
  /** Every endpoint of a service with its state, once discovery has said who is there. */
  endpoints(service: string): Promise<readonly EndpointView[]>
  /** The same after asking the source anew. */
  refresh(service: string): Promise<readonly EndpointView[]>
  /**
   * The endpoint that the balancer would give a call to now.
   * @throws RpcError `unavailable` where there is none.
   */
  pick(service: string, options?: PickOptions): Promise<EndpointView>
  /** How the client is doing, as things are now. */
  status(): ClientStatus
  /**
   * Replaces the list of servers of a client that was given one; connections to those that stay go on.
   * @throws RpcError `failed_precondition` for a client that finds its servers otherwise.
   */
  replace(targets: string | readonly string[]): void
  /**
   * What an instance weighs for this client, from the next call on and whatever it says of itself; undefined takes that
   * back. It is named by its id or an endpoint of it, also before it is known.
   * @throws RpcError `invalid_argument` for what is no number from 0 to 1,000,000.
   */
  setWeight(who: string, weight: number | undefined): void
  /** Takes no more calls, waits `graceMs` (default 0) for those in flight, ends everything. Harmless if repeated. */
  close(options?: CloseOptions): Promise<void>
}

export interface PickOptions {
  /** As the call option `key`. */
  readonly key?: string
}

export interface CloseOptions {
  readonly graceMs?: number
}
