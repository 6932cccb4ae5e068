import type { Clock } from '../core/clock.ts'
import { detached } from '../core/context.ts'
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts'
import type { Instance } from '../core/instance.ts'
import type { Random } from '../core/random.ts'
import { matches, type Query } from '../discovery/resolver.ts'
import type { Capabilities } from '../protocols/protocol.ts'
import type { EndpointPool } from './pool.ts'
import type { Endpoints } from './endpoints.ts'

// So many endpoints of a service are connected to ahead of need; of a larger fleet each client takes others.
const maxConnectedAhead = 100
// Who answered that it lacks the service is asked again after a minute: it may have got it with a new version.
const lackMs = 60_000

/** What candidates are made of. */
export interface CandidatesRoom {
  readonly clock: Clock
  readonly endpoints: Endpoints
  readonly random: Random
  /** The instance with the weight that counts for this client. */
  weigh(instance: Instance): Instance
  /** The endpoints of an instance that this client can speak to, best first. */
  usable(instance: Instance): readonly Endpoint[]
  /** What the protocol of an endpoint can. */
  can(endpoint: Endpoint): Partial<Capabilities>
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
  readonly #lacking = new Set<EndpointPool>()

  /** `changed` is told when the state of one of them is another. */
  constructor(room: CandidatesRoom, changed: () => void) {
    this.#room = room
    this.#changed = changed
  }

  get all(): readonly EndpointPool[] {
    return this.#all
  }

  /** Those that take new calls: draining ones, and who lacked the service when asked, only where there are no others. */
  get open(): readonly EndpointPool[] {
    return this.#open
  }

  /** It has answered that it does not have the service, of which its registration said nothing. */
  lacks(pool: EndpointPool): void {
    if (this.#lacking.has(pool)) return
    this.#lacking.add(pool)
    // Its time is nobody's call.
    detached(() => {
      this.#room.clock.afterInBackground(lackMs, () => {
        this.#lacking.delete(pool)
        this.#changed()
      })
    })
    this.choose()
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
    const certain = reachable.filter((one) => !this.#isDoubtful(one, query))
    this.#reachable = certain.length > 0 ? certain : reachable
  }

  // Who did not say what it offers is asked, and its answer tells; but not where "no such method" looks like a result. And
  // a method without its service is nothing for those who take no such names.
  #isDoubtful({ instance, ways }: Reachable, query: Query): boolean {
    const can = (endpoint: Endpoint) => this.#room.can(endpoint)
    if (query.service === '') return ways.every(({ endpoint }) => can(endpoint).needsService)
    return instance.services.length === 0 && ways.every(({ endpoint }) => can(endpoint).bareNames)
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
    const offering = this.#lacking.size === 0 ? up : up.filter((pool) => !this.#lacking.has(pool))
    this.#open = offering.length > 0 ? offering : up.length > 0 ? up : this.#all
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
