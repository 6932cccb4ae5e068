import type { Endpoint } from '../core/endpoint.ts'
import type { Service } from '../core/service.ts'
import type { ByteStream, Wire } from '../transports/transport.ts'
import type { RegistryStatus } from './announcer.ts'
import type { ConnectionStats } from './connections.ts'
import type { MethodStats } from './stats.ts'

export type ServerState = 'starting' | 'serving' | 'draining' | 'closed'

/** What a server knows of itself, for consoles, metrics and tests. A copy: it does not change. */
export interface ServerStats {
  readonly connections: ConnectionStats
  /** Open sessions of each protocol. */
  readonly sessions: Readonly<Record<string, number>>
  /** Calls that were made by each protocol, since the server was made. */
  readonly callsBy: Readonly<Record<string, number>>
  /** Calls that have not ended, streams among them. */
  readonly inFlight: number
  /** One entry for each method that was ever called; calls of what is not there share `?`. */
  readonly methods: readonly MethodStats[]
  /** Generators that did not end when their call was cancelled, since the server was made. */
  readonly uncooperative: number
  /** How the server stands with each of its registries. */
  readonly registries: readonly RegistryStatus[]
}

export interface CloseOptions {
  /** How long calls in flight may take to end; 0 ends them at once. Default: `drainTimeoutMs`. */
  readonly graceMs?: number | undefined
}

/** A server, running or not. */
export interface Server extends AsyncDisposable {
  /** Its name in registries. */
  readonly id: string
  readonly state: ServerState
  /** What it tells registries: what others dial. Ports are the real ones. */
  readonly endpoints: readonly Endpoint[]
  /** Where it listens, as `connect` takes it: `tcp://127.0.0.1:8089`. Ports are the real ones. */
  readonly targets: readonly string[]
  /** Resolves when every registry has it; at once where there is none. It serves without waiting for that. */
  readonly registered: Promise<void>
  /**
   * Offers one more service, at once; registries follow.
   * @throws RpcError `already_exists` for a name that is taken.
   */
  add(service: Service): void
  /**
   * Offers a service no longer: calls in flight finish, later ones are `not_found`; registries follow.
   * @returns whether it was there.
   */
  remove(name: string): boolean
  services(): readonly Service[]
  /** What it weighs in the registries now: what was set, less what its own load takes if it follows that. */
  readonly weight: number
  /**
   * Gives it another weight, at once; registries follow. 0 takes it out where there are others.
   * @throws RpcError `invalid_argument` for what is no number from 0 to 1,000,000.
   */
  setWeight(weight: number): void
  stats(): ServerStats
  /**
   * Serves a connection that something else has opened: a socket that was accepted elsewhere, a pipe, or a wire of a
   * transport. It speaks whatever a connection to the server's own port may.
   * @throws RpcError `invalid_argument` for what is no connection.
   */
  accept(connection: Wire | ByteStream): void
  /**
   * Takes no new calls and says so, first in the registries, then on every connection; what is in flight goes on.
   * Resolves when that has ended (true), or has not within `graceMs` (false).
   */
  drain(options?: CloseOptions): Promise<boolean>
  /**
   * Drains, ends what has not ended by then, leaves the registries and stops listening, all within a bounded time.
   * Asked again it gives the same promise; a shorter `graceMs` counts from now.
   */
  close(options?: CloseOptions): Promise<void>
}
