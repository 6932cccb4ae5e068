import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts'
import { RpcError } from '../../core/error.ts'
import type { Instance } from '../../core/instance.ts'
import type { LabProcess } from '../../discovery/api/lab-parameters.ts'
import { refusals } from '../../discovery/api/messages.ts'
import { type FaceInstance, FaceLeases, type FaceLeasesInit } from './face-leases.ts'

// So many may be remembered before it is looked whose instances are gone.
const leastPruned = 1_000

/** A registration: one endpoint of an instance. */
interface Part {
  readonly key: string
  readonly endpoint: Endpoint
  readonly heardAt: number
  /** Its lease was over when another part was heard of. */
  readonly isOverdue: boolean
}

/** The registrations that are one instance. */
interface Joined {
  readonly incarnation: number
  readonly parts: readonly Part[]
}

/**
 * What is registered endpoint by endpoint, where those of one process are one instance: else clients would give it a share
 * of the calls for each. The instance lives as long as one of its registrations. One that is no longer renewed leaves it
 * with the second heartbeat of another after its lease is over: at the first, the registry itself may have stood still.
 */
export class ProcessLeases {
  readonly #leases: FaceLeases
  readonly #init: FaceLeasesInit
  /** By the endpoints of an instance, which are the same object for as long as they are the same. */
  readonly #joined = new WeakMap<Instance['endpoints'], Joined>()
  /** The name of the instance that an endpoint went to last. The instance may be gone, or go on without it. */
  readonly #owners = new Map<string, string>()
  #pruneFrom = leastPruned

  constructor(init: FaceLeasesInit) {
    this.#leases = new FaceLeases(init)
    this.#init = init
  }

  /**
   * Registers an endpoint, or keeps it alive and replaces what its instance says. Without a process it is one by itself.
   * @throws RpcError `aborted` where a newer life of the process is registered at other endpoints; and as
   * {@link FaceLeases.keep}.
   */
  keep(endpoint: Endpoint, said: Omit<FaceInstance, 'endpoints'>, owner?: LabProcess): Instance {
    const key = formatEndpoint(endpoint)
    // Nobody is to call himself what one by itself is called.
    const isNamed = owner !== undefined && !owner.id.includes('://')
    const { id: name, incarnation } = isNamed ? owner : { id: key, incarnation: 0 }
    const known = this.#find(name)
    if (known !== undefined && incarnation < known.incarnation && !has(known, key)) {
      throw superseded(name, known.incarnation)
    }
    const part: Part = { key, endpoint, heardAt: this.#init.store.clock.now(), isOverdue: false }
    const parts = known?.incarnation === incarnation ? this.#renew(known.parts, part) : [part]
    const kept = this.#leases.keep(name, { ...said, endpoints: endpointsOf(parts) })
    this.#joined.set(kept.endpoints, { incarnation, parts })
    this.#move(key, name)
    return kept
  }

  /** Takes an endpoint out, if it is there, and its instance with the last one. */
  drop(endpoint: Endpoint): void {
    const key = formatEndpoint(endpoint)
    const owner = this.#owners.get(key)
    this.#owners.delete(key)
    if (owner !== undefined) this.#remove(key, owner)
  }

  #find(name: string): Joined | undefined {
    const instance = this.#leases.get(name)
    return instance && this.#joined.get(instance.endpoints)
  }

  // In the order in which they came: another order would be news for everybody.
  #renew(parts: readonly Part[], heard: Part): readonly Part[] {
    const others = parts.flatMap((part) =>
      part.key === heard.key ? [heard] : this.#age(part, heard.heardAt),
    )
    return others.includes(heard) ? others : [...others, heard]
  }

  #age(part: Part, now: number): readonly Part[] {
    const { leaseMs } = this.#init
    if (leaseMs === 0 || now - part.heardAt < leaseMs) return [part]
    return part.isOverdue ? [] : [{ ...part, isOverdue: true }]
  }

  /** An endpoint is that of one instance alone: whoever was there before is not there any more. */
  #move(key: string, name: string): void {
    const owner = this.#owners.get(key)
    this.#owners.set(key, name)
    if (owner !== undefined && owner !== name) this.#remove(key, owner)
    if (this.#owners.size >= this.#pruneFrom) this.#prune()
  }

  #remove(key: string, name: string): void {
    const joined = this.#find(name)
    if (joined === undefined || !has(joined, key)) return
    const parts = joined.parts.filter((part) => part.key !== key)
    if (parts.length === 0) return this.#leases.drop(name)
    const { endpoints } = this.#leases.narrow(name, endpointsOf(parts))
    this.#joined.set(endpoints, { ...joined, parts })
  }

  #prune(): void {
    for (const [key, name] of this.#owners) {
      const joined = this.#find(name)
      if (joined === undefined || !has(joined, key)) this.#owners.delete(key)
    }
    this.#pruneFrom = Math.max(leastPruned, 2 * this.#owners.size)
  }
}

function has({ parts }: Joined, key: string): boolean {
  return parts.some((part) => part.key === key)
}

// The first that a client can speak to is the one that it calls: our own, whichever was registered first.
function endpointsOf(parts: readonly Part[]): readonly Endpoint[] {
  const rank = ({ endpoint: { protocol } }: Part) => (protocol === 'farcall' ? 0 : 1)
  return parts.toSorted((a, b) => rank(a) - rank(b)).map(({ endpoint }) => endpoint)
}

function superseded(id: string, incarnation: number): RpcError {
  const message = `process '${id}' is registered with incarnation ${incarnation}, which is higher: if both live, give each an id of its own`
  return new RpcError('aborted', message, { reason: refusals.superseded })
}
