import type { Clock } from '../core/clock.ts'
import type { Endpoint } from '../core/endpoint.ts'
import type { Handler } from '../core/layer.ts'
import type { Logger } from '../core/log.ts'
import type { Random } from '../core/random.ts'
import type { Registrar } from './registrar.ts'
import type { Resolver } from './resolver.ts'

/** A way to one registry, given to whoever must reach it: calls go to any of its addresses that answers. */
export interface Link extends AsyncDisposable {
  readonly call: Handler
}

/** What a resolver or registrar finds around it. */
export interface DiscoveryRoom {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Opens a way to a registry at these endpoints; the caller disposes of it. */
  reach(endpoints: readonly Endpoint[]): Link
  /** For registries that are asked over HTTP. Left out: those cannot be used. */
  readonly fetch?: Fetch | undefined
}

/** `fetch` as the platform has it. */
export type Fetch = typeof globalThis.fetch

/** Makes the resolvers for the targets of some schemes (`registry://…`). */
export interface ResolverFactory {
  /** Without the colon: `registry`, `static`. */
  readonly schemes: readonly string[]
  /** @throws RpcError `invalid_argument` for a target that it cannot read. */
  create(target: string, room: DiscoveryRoom): Resolver & Partial<AsyncDisposable>
}

/** The same for those who announce. */
export interface RegistrarFactory {
  readonly schemes: readonly string[]
  /** @throws RpcError `invalid_argument` for a target that it cannot read. */
  create(target: string, room: DiscoveryRoom): Registrar & Partial<AsyncDisposable>
}
