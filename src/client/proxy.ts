import { broadcastMode, type CallMode, mergeCallOptions, plainMode } from './call-mode.ts'
import type { KnownMethod, KnownMethods } from './known-methods.ts'

/** Makes a call, once it is known which and how. What is wrong with it rejects; it never throws. */
export type Invoke = (method: KnownMethod, list: readonly unknown[], mode: CallMode) => PromiseLike<unknown>

type Callable = (...args: unknown[]) => unknown

// `await client` and JSON.stringify ask for these by themselves; answering would make calls that nobody meant.
const neverMethods: ReadonlySet<string> = new Set(['then', 'toJSON'])
const maxCached = 10_000

/** An object whose every name is a method of the service, except those that begin with `$`. */
export function createProxy(around: ProxyRoom, version: string | undefined): object {
  return new Proxy(
    new ServiceTarget(around, version === undefined ? plainMode : { ...plainMode, version }),
    traps,
  )
}

/** What a proxy stands on. */
export interface ProxyRoom {
  readonly service: string
  readonly methods: KnownMethods
  readonly invoke: Invoke
}

/** What stands behind one proxy: a mode of calling, and a closure for each method that was used in it. */
class ServiceTarget {
  // A Map: `__proto__` and `constructor` are names like any other.
  readonly #callables = new Map<string, Callable>()
  readonly #around: ProxyRoom
  readonly #mode: CallMode

  constructor(around: ProxyRoom, mode: CallMode) {
    this.#around = around
    this.#mode = mode
  }

  get(name: string): unknown {
    const cached = this.#callables.get(name)
    if (cached !== undefined) return cached
    if (neverMethods.has(name)) return undefined
    if (name.charCodeAt(0) === 0x24 /* $ */) return this.#special(name)
    if (this.#callables.size >= maxCached) this.#callables.clear()
    const callable = this.#method(name)
    this.#callables.set(name, callable)
    return callable
  }

  #method(name: string): Callable {
    const { service, methods, invoke } = this.#around
    const method = methods.get(service, name)
    const mode = this.#mode
    return (...list) => invoke(method, list, mode)
  }

  // Farcall's own names. Those without arguments mean the same each time, and are made once.
  #special(name: string): unknown {
    switch (name) {
      case '$with':
        return this.#keep(name, (options) =>
          this.#derive({ options: mergeCallOptions(this.#mode.options, options ?? {}) }),
        )
      case '$broadcast':
        return this.#keep(name, (options) => this.#derive(broadcastMode(this.#mode.options, options ?? {})))
      case '$named':
        return this.#keep(name, this.#derive({ named: true }) as Callable)
      case '$send':
        return this.#keep(name, this.#derive({ oneway: true }) as Callable)
      case '$try':
        return this.#keep(name, this.#derive({ caught: true }) as Callable)
      default:
        return undefined
    }
  }

  #keep(name: string, special: Callable): Callable {
    this.#callables.set(name, special)
    return special
  }

  #derive(change: Partial<CallMode>): object {
    return new Proxy(new ServiceTarget(this.#around, { ...this.#mode, ...change }), traps)
  }
}

const traps: ProxyHandler<ServiceTarget> = {
  get: (target, name) => (typeof name === 'string' ? target.get(name) : undefined),
  has: (target, name) => typeof name === 'string' && target.get(name) !== undefined,
  set: () => false,
  defineProperty: () => false,
  deleteProperty: () => false,
  getOwnPropertyDescriptor: () => undefined,
  getPrototypeOf: () => null,
  ownKeys: () => [],
}
