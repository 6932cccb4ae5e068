import { queryKey } from './api/read-query.ts'
import { openLine } from './call-registry.ts'
import { QueryWatch } from './query-watch.ts'
import { parseRegistryTarget } from './registry-target.ts'
import type { Resolver } from './resolver.ts'
import { shareWatches } from './shared-watches.ts'
import type { DiscoveryRoom, ResolverFactory } from './source.ts'

/** Looks at `registry://host:port[,host:port…]`. */
export const registryResolvers: ResolverFactory = {
  schemes: ['registry'],
  create: createRegistryResolver,
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
  return shareWatches({
    target,
    keyOf: queryKey,
    open: (query) => new QueryWatch(query, line, { room, target }),
    close: () => line.close(),
  })
}
