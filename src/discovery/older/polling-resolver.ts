import type { Instance } from '../../core/instance.ts'
import { mapAsync } from '../map-async.ts'
import { matches, type Query, type Resolver, type Snapshot } from '../resolver.ts'
import { shareWatches } from '../shared-watches.ts'
import type { DiscoveryRoom } from '../source.ts'
import type { Asking } from './dialect.ts'
import { PolledList } from './polled-list.ts'

/** How a registry is asked for a query. */
export interface PollingOptions {
  readonly room: DiscoveryRoom
  readonly target: string
  /** Queries with the same key are asked as one. */
  keyOf(query: Query): string
  asking(query: Query): Asking
  close?(): Promise<void>
}

/** A resolver for a registry that has to be asked again and again. Queries that it does not understand are applied here. */
export function createPollingResolver(options: PollingOptions): Required<Resolver> & AsyncDisposable {
  const { room, target, keyOf } = options
  const shared = shareWatches({
    target,
    keyOf,
    open: (query) => new PolledList(options.asking(query), { room, target }),
    close: async () => options.close?.(),
  })
  return {
    watch: (query, signal) => mapAsync(shared.watch(query, signal), narrower(query)),
    async refresh(query, signal) {
      return narrower(query)(await shared.refresh(query, signal))
    },
    [Symbol.asyncDispose]: () => shared[Symbol.asyncDispose](),
  }
}

/** Keeps the map of instances as long as it holds the same, since readers look whether it is another. */
function narrower(query: Query): (snapshot: Snapshot) => Snapshot {
  let from: ReadonlyMap<string, Instance> | undefined
  let instances: ReadonlyMap<string, Instance> = new Map()
  return (snapshot) => {
    if (snapshot.instances !== from) {
      from = snapshot.instances
      instances = new Map([...from].filter(([, instance]) => matches(instance, query)))
    }
    return Object.freeze({ ...snapshot, instances })
  }
}
