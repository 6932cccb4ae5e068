import type { Instance } from '../../core/instance.ts'
import type { Periods } from './options.ts'

/** One thing that an older registry holds. */
export interface Entry {
  /** What the registry tells it from others by. */
  readonly key: string
  /** What is said of it: where that changes, it is registered anew. */
  readonly content: string
}

/** How one kind of older registry is told of servers. What fails rejects with an RpcError. */
export interface Telling<E extends Entry> {
  /** What is registered of an instance. @throws RpcError `invalid_argument` where that is nothing. */
  entries(instance: Instance): readonly E[]
  register(entry: E, signal: AbortSignal): Promise<void>
  /** Says that it lives. False where the registry does not know it any longer. */
  heartbeat(entry: E, signal: AbortSignal): Promise<boolean>
  /** Left out where the registry cannot be told. */
  unregister?(entry: E, signal: AbortSignal): Promise<void>
}

/** How one kind of older registry is asked, and how often. */
export interface Asking {
  readonly periods: Periods
  /** Who is there. Rejects with an RpcError where the registry does not say: an error is never an empty list. */
  ask(signal: AbortSignal): Promise<readonly Instance[]>
}
