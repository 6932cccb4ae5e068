import type { Call } from '../core/call.ts'
import type { EndpointPool } from './pool.ts'

/** What is special about where a call goes. Most calls have no such thing. */
export interface Route {
  /** To every instance, and what that comes to. */
  readonly everyone?: 'all' | 'first'
  /** To this endpoint: a leg of a broadcast. */
  readonly pool?: EndpointPool
  /** To the instance with this id. */
  readonly instance?: string
  /** To instances that offer this version of the service. */
  readonly version?: string
}

/** The routes of the calls that have one. Kept beside the calls, for nearly all do without. */
export class Routes {
  readonly #routes = new Map<Call, Route>()

  add(call: Call, route: Route): void {
    this.#routes.set(call, route)
    call.onEnd(() => this.#routes.delete(call))
  }

  /** The route of a call, or of the one that it is an attempt of. */
  of(call: Call): Route | undefined {
    if (this.#routes.size === 0) return undefined
    for (let at: Call | undefined = call; at !== undefined; at = at.origin) {
      const route = this.#routes.get(at)
      if (route !== undefined) return route
    }
    return undefined
  }
}
