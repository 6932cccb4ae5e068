import { detached } from '../core/context.ts'
import { RpcError } from '../core/error.ts'
import { Latest } from './latest.ts'
import type { Query, Resolver, Snapshot } from './resolver.ts'

/** One watch at a source. */
export interface Watch {
  readonly snapshots: Latest<Snapshot>
  /** Never rejects; resolves when it is stopped. */
  run(): Promise<void>
  stop(): void
  /** Asks now. @throws RpcError where the source does not answer. */
  refresh(signal: AbortSignal): Promise<Snapshot>
}

/** What is watched, and which watches are one. */
export interface SharedWatchesOptions {
  /** Of the source, for messages. */
  readonly target: string
  /** Queries with the same key are one watch. */
  keyOf(query: Query): string
  open(query: Query): Watch
  /** When the resolver is closed. */
  close(): Promise<void>
}

interface Shared {
  readonly watch: Watch
  readers: number
}

/** A resolver whose readers of the same thing share one watch, which ends with the last of them. */
export function shareWatches(options: SharedWatchesOptions): Required<Resolver> & AsyncDisposable {
  const watches = new Map<string, Shared>()
  const closing = new AbortController()

  function take(query: Query): Shared {
    const key = options.keyOf(query)
    const known = watches.get(key)
    if (known !== undefined) {
      known.readers++
      return known
    }
    const made = { watch: options.open(query), readers: 1 }
    watches.set(key, made)
    // It belongs to no call, whoever looked first.
    detached(() => void made.watch.run())
    return made
  }

  function leave(query: Query, shared: Shared): void {
    if (--shared.readers > 0) return
    shared.watch.stop()
    watches.delete(options.keyOf(query))
  }

  return {
    watch(query, signal): AsyncIterable<Snapshot> {
      if (closing.signal.aborted) return new Latest<Snapshot>().read(closing.signal)
      const shared = take(query)
      const either = AbortSignal.any([signal, closing.signal])
      return shared.watch.snapshots.read(either, () => leave(query, shared))
    },
    async refresh(query, signal) {
      if (closing.signal.aborted)
        throw new RpcError('unavailable', `the resolver for ${options.target} was closed`)
      const shared = take(query)
      try {
        return await shared.watch.refresh(signal)
      } finally {
        leave(query, shared)
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      await options.close()
    },
  }
}
