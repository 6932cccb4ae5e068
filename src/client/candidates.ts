import { type Endpoint, formatEndpoint } from '../core/endpoint.ts'
import type { Instance } from '../core/instance.ts'
import type { Random } from '../core/random.ts'
import { matches, type Query } from '../discovery/resolver.ts'
import type { EndpointPool } from './pool.ts'
import type { Endpoints } from './endpoints.ts'

// So many endpoints of a service are connected to ahead of need; of a larger fleet each client takes others.
const maxConnectedAhead = 100

/** What candidates are made of. */
export interface CandidatesRoom {
  readonly endpoints: Endpoints
  readonly random: Random
  /** The instance with the weight that counts for this client. */
  weigh(instance: Instance): Instance
  /** The endpoints of an instance that this client can speak to, best first. */
  usable(instance: Instance): readonly Endpoint[]
}

interface Reachable {
  readonly instance: Instance
  readonly ways: readonly { readonly key: string; readonly endpoint: Endpoint }[]
}

/**
 * The endpoints that a service can be called at: of each instance the best one that can be reached, so that one with
 * several endpoints does not get several shares of the calls.
 */
export class Candidates {
  readonly #room: CandidatesRoom
  readonly #changed: () => void
  #reachable: readonly Reachable[] = []
  #held = new Map<string, EndpointPool>()
  #all: readonly EndpointPool[] = []
  #open: readonly EndpointPool[] = []

  /** `changed` is told when the state of one of them is another. */
  constructor(room: CandidatesRoom, changed: () => void) {
    this.#room = room
    this.#changed = changed
  }

  get all(): readonly EndpointPool[] {
    return this.#all
  }

  /** Those that take new calls: draining ones only where there are no others. */
  get open(): readonly EndpointPool[] {
    return this.#open
  }

  ofInstance(id: string): EndpointPool | undefined {
    return this.#all.find(({ instance }) => instance.id === id)
  }

  /** Takes in who is there. Takes effect with {@link choose}. */
  update(instances: ReadonlyMap<string, Instance>, query: Query): void {
    const reachable: Reachable[] = []
    for (const given of instances.values()) {
      if (!matches(given, query)) continue
      const instance = this.#room.weigh(given)
      const ways = this.#room
        .usable(instance)
        .map((endpoint) => ({ key: formatEndpoint(endpoint), endpoint }))
      if (ways.length > 0) reachable.push({ instance, ways })
    }
    this.#reachable = reachable
  }

  /** Chooses anew among the endpoints of each instance, by what is known of them now, and connects ahead of need. */
  choose(): void {
    const held = new Map<string, EndpointPool>()
    const chosen = new Map<EndpointPool, Instance>()
    for (const { instance, ways } of this.#reachable) {
      const pool = this.#best(instance, ways, held)
      // Two instances at one endpoint: one was there before, and its lease has not run out yet.
      const other = chosen.get(pool)
      if (other === undefined || other.status === 'draining' || instance.status === 'up')
        chosen.set(pool, instance)
    }
    for (const [key, pool] of this.#held)
      if (!held.has(key)) this.#room.endpoints.release(pool, this.#changed)
    this.#held = held
    for (const [pool, instance] of chosen) if (pool.instance !== instance) pool.setInstance(instance)
    this.#all = [...chosen.keys()]
    const up = this.#all.filter(({ instance }) => instance.status === 'up')
    this.#open = up.length > 0 ? up : this.#all
    this.#connectAhead()
  }

  // The first that is not failing; if all are, the first.
  #best(instance: Instance, ways: Reachable['ways'], held: Map<string, EndpointPool>): EndpointPool {
    let first: EndpointPool | undefined
    for (const { key, endpoint } of ways) {
      const pool =
        held.get(key) ??
        this.#held.get(key) ??
        this.#room.endpoints.acquire(instance, endpoint, this.#changed)
      held.set(key, pool)
      if (pool.state !== 'failing') return pool
      first ??= pool
    }
    return first as EndpointPool
  }

  // A balancer goes by what it knows of candidates that are connected, so those that never are would never be called.
  #connectAhead(): void {
    const idle = this.#open.filter(({ state }) => state === 'idle')
    let connected = 0
    for (const { state } of this.#open) if (state === 'ready' || state === 'connecting') connected++
    const from = Math.floor(this.#room.random() * idle.length)
    for (let i = 0; i < idle.length && connected < maxConnectedAhead; i++, connected++) {
      idle[(from + i) % idle.length]?.connect()
    }
  }
}
