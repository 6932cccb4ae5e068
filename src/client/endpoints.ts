import { type Endpoint, formatEndpoint } from '../core/endpoint.ts'
import type { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { EndpointPool } from './pool.ts'

/** Makes the pool of connections to an endpoint. */
export type MakePool = (instance: Instance, endpoint: Endpoint) => EndpointPool

interface Entry {
  readonly key: string
  readonly pool: EndpointPool
  holders: number
  readonly listeners: Set<() => void>
}

/**
 * The pools of all endpoints that a client knows, shared by its services: a server with ten of them is connected to
 * once. A pool lives as long as some service finds its endpoint in a snapshot.
 */
export class Endpoints {
  readonly #make: MakePool
  readonly #entries = new Map<string, Entry>()
  // Let go of, with calls still in flight.
  readonly #leaving = new Set<EndpointPool>()

  constructor(make: MakePool) {
    this.#make = make
  }

  /** The pool for an endpoint, held until `release`; `changed` is told of each change of its state. */
  acquire(instance: Instance, endpoint: Endpoint, changed: () => void): EndpointPool {
    const key = formatEndpoint(endpoint)
    const entry = this.#entries.get(key) ?? this.#open(key, instance, endpoint)
    entry.holders++
    entry.listeners.add(changed)
    return entry.pool
  }

  /** Gives a pool back. The last one to do so drains it: what is in flight goes on. */
  release(pool: EndpointPool, changed: () => void): void {
    const entry = this.#entries.get(formatEndpoint(pool.endpoint))
    if (entry === undefined || entry.pool !== pool) return
    entry.listeners.delete(changed)
    if (--entry.holders > 0) return
    this.#entries.delete(entry.key)
    for (const gone of this.#leaving) if (gone.load.inFlight === 0) this.#leaving.delete(gone)
    this.#leaving.add(pool)
    pool.drain()
  }

  /** Every pool that is in use. */
  *[Symbol.iterator](): IterableIterator<EndpointPool> {
    for (const { pool } of this.#entries.values()) yield pool
  }

  /** Ends all connections; calls in flight fail with the reason. */
  async close(reason: RpcError): Promise<void> {
    const pools = [...this, ...this.#leaving]
    this.#entries.clear()
    this.#leaving.clear()
    await Promise.all(pools.map((pool) => pool.close(reason)))
  }

  #open(key: string, instance: Instance, endpoint: Endpoint): Entry {
    const pool = this.#make(instance, endpoint)
    const entry: Entry = { key, pool, holders: 0, listeners: new Set() }
    this.#entries.set(key, entry)
    pool.onState = () => {
      // A listener may let go of this one, or take another.
      const listeners = [...entry.listeners]
      for (const listener of listeners) listener()
    }
    return entry
  }
}
