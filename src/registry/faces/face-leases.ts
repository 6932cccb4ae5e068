import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts'
import type { Instance, ServiceEntry } from '../../core/instance.ts'
import { invalid } from '../../discovery/api/guards.ts'
import { decodeInstance } from '../../discovery/api/instance-data.ts'
import { maxNameLength } from '../../discovery/api/limits.ts'
import type { LeaseTerms } from '../lease.ts'
import type { RegistryStore } from '../store.ts'

// The Go systems send a heartbeat after 4 of 5 minutes, the others earlier; a little later it is missing.
const silentShare = 0.85

export interface FaceLeasesInit {
  readonly store: RegistryStore
  /** The name of the face: what comes through another is another instance. */
  readonly face: string
  /** How long an instance stays without being heard of; 0: until it is unregistered. */
  readonly leaseMs: number
  readonly nextIncarnation: () => number
}

/** What older peers register: each instance at one endpoint, which is all that tells it from others, with a lease of its own. */
export class FaceLeases {
  readonly #store: RegistryStore
  readonly #face: string
  readonly #terms: LeaseTerms
  readonly #nextIncarnation: () => number

  constructor({ store, face, leaseMs, nextIncarnation }: FaceLeasesInit) {
    const ttlMs = leaseMs === 0 ? Number.POSITIVE_INFINITY : leaseMs
    this.#store = store
    this.#face = face
    this.#terms = { ttlMs, silentAfterMs: ttlMs * silentShare }
    this.#nextIncarnation = nextIncarnation
  }

  /** What is registered at the endpoint through this face. */
  get(endpoint: Endpoint): Instance | undefined {
    return this.#store.get(this.#idOf(endpoint))
  }

  /**
   * Registers an instance, or keeps it alive and replaces what it said.
   * @throws RpcError `invalid_argument` for what no registry takes, and what the store throws.
   */
  keep(endpoint: Endpoint, said: FaceInstance): Instance {
    const id = this.#idOf(endpoint)
    const incarnation = this.#store.get(id)?.incarnation ?? this.#nextIncarnation()
    const data = { id, incarnation, endpoints: [formatEndpoint(endpoint)], ...said }
    const instance = decodeInstance(data, 'instance')
    this.#store.register({ id, incarnation, ...this.#terms }, [instance])
    return this.#store.get(id) as Instance
  }

  /** Keeps an instance alive as it is. False if it is not there. */
  renew(endpoint: Endpoint): boolean {
    const known = this.get(endpoint)
    if (known === undefined) return false
    return this.#store.renew([{ id: known.id, incarnation: known.incarnation }]).lost.length === 0
  }

  /** Takes an instance out, if it is there. */
  drop(endpoint: Endpoint): void {
    const known = this.get(endpoint)
    if (known !== undefined) this.#store.unregister({ id: known.id, incarnation: known.incarnation })
  }

  #idOf(endpoint: Endpoint): string {
    const id = `${this.#face}:${formatEndpoint(endpoint)}`
    if (id.length <= maxNameLength) return id
    throw invalid('the address', `is ${id.length - maxNameLength} characters too long`)
  }
}

/** What an instance says beside where it is. */
export interface FaceInstance {
  readonly services: readonly ServiceEntry[]
  readonly metadata?: Readonly<Record<string, string>>
}

/**
 * Gives the incarnation of each new registration: the time, so that it is higher than any before, also than those of an
 * earlier life of the registry.
 */
export function createIncarnations(wallClock: () => number): () => number {
  let last = 0
  return () => {
    last = Math.max(Math.floor(wallClock()), last + 1)
    return last
  }
}
