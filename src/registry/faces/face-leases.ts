import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts'
import type { Instance } from '../../core/instance.ts'
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

/** What older peers register: each instance under a name, such as its endpoint, with a lease of its own. */
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

  /** What is registered under the name through this face. */
  get(name: string): Instance | undefined {
    return this.#store.get(this.#idOf(name))
  }

  /**
   * Registers an instance, or keeps it alive and replaces what it said.
   * @throws RpcError `invalid_argument` for what no registry takes, and what the store throws.
   */
  keep(name: string, { endpoints, ...said }: FaceInstance): Instance {
    const id = this.#idOf(name)
    const incarnation = this.#store.get(id)?.incarnation ?? this.#nextIncarnation()
    const data = { id, incarnation, endpoints: endpoints.map(formatEndpoint), ...said }
    return this.#register(decodeInstance(data, 'instance'))
  }

  /** Leaves an instance that is there only these of its endpoints. */
  narrow(name: string, endpoints: readonly Endpoint[]): Instance {
    const known = this.get(name) as Instance
    return this.#register(Object.freeze({ ...known, endpoints: Object.freeze(endpoints) }))
  }

  /** Keeps an instance alive as it is. False if it is not there. */
  renew(name: string): boolean {
    const known = this.get(name)
    if (known === undefined) return false
    return this.#store.renew([{ id: known.id, incarnation: known.incarnation }]).length === 0
  }

  /** Takes an instance out, if it is there. */
  drop(name: string): void {
    const known = this.get(name)
    if (known !== undefined) this.#store.unregister({ id: known.id, incarnation: known.incarnation })
  }

  // Gives what is held: the same object as before where it says the same.
  #register(instance: Instance): Instance {
    const { id, incarnation } = instance
    this.#store.register({ id, incarnation, ...this.#terms }, [instance])
    return this.#store.get(id) as Instance
  }

  #idOf(name: string): string {
    const id = `${this.#face}:${name}`
    if (id.length <= maxNameLength) return id
    throw invalid('the address', `or the id, is ${id.length - maxNameLength} characters too long`)
  }
}

/** What an instance says. */
export interface FaceInstance {
  readonly endpoints: readonly Endpoint[]
  /** Entries, or what was sent in their place: they are checked. */
  readonly services: unknown
  readonly weight?: number
  readonly zone?: string | undefined
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
