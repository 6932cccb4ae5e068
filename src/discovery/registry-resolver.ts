import { detached } from '../core/context.ts'
import { RpcError } from '../core/error.ts'
import { queryKey } from './api/read-query.ts'
import { openLine } from './call-registry.ts'
import { Latest } from './latest.ts'
import { QueryWatch } from './query-watch.ts'
import { parseRegistryTarget } from './registry-target.ts'
import type { Query, Resolver, Snapshot } from './resolver.ts'
import type { DiscoveryRoom, ResolverFactory } from './source.ts'

/** Looks at `registry://host:port[,host:port…]`. */
export const registryResolvers: ResolverFactory = {
  schemes: ['registry'],
  create: createRegistryResolver,
}

interface Shared {
  readonly watch: QueryWatch
  readers: number
}

/**
 * Readers of the same query share one watch; it ends with the last of them.
 * @throws RpcError `invalid_argument` for a target that it cannot read.
 */
export function createRegistryResolver(
  target: string,
  room: DiscoveryRoom,
): Required<Resolver> & AsyncDisposable {
  const line = openLine(parseRegistryTarget(target), room)
  const watches = new Map<string, Shared>()
  const closing = new AbortController()

  function take(query: Query): Shared {
    const key = queryKey(query)
    const known = watches.get(key)
    if (known !== undefined) {
      known.readers++
      return known
    }
    const made = { watch: new QueryWatch(query, line, { room, target }), readers: 1 }
    watches.set(key, made)
    // It belongs to no call, whoever looked first.
    detached(() => void made.watch.run())
    return made
  }

  function leave(query: Query, shared: Shared): void {
    if (--shared.readers > 0) return
    shared.watch.stop()
    watches.delete(queryKey(query))
  }

  return {
    watch(query, signal): AsyncIterable<Snapshot> {
      if (closing.signal.aborted) return new Latest<Snapshot>().read(closing.signal)
      const shared = take(query)
      const either = AbortSignal.any([signal, closing.signal])
      return shared.watch.snapshots.read(either, () => leave(query, shared))
    },
    async refresh(query, signal) {
      if (closing.signal.aborted) throw new RpcError('unavailable', `the resolver for ${target} was closed`)
      const shared = take(query)
      try {
        return await shared.watch.refresh(signal)
      } finally {
        leave(query, shared)
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      await line.close()
    },
  }
}
