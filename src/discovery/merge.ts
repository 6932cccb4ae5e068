import type { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import { Latest } from './latest.ts'
import type { Query, Resolver, Snapshot } from './resolver.ts'

/**
 * Several sources as one: all instances that any of them knows; where two know the same id, the higher incarnation
 * wins. It is `live` when all of them are, `lost` when all of them are, else `stale`: something may be missing.
 */
export function mergeResolvers(sources: readonly Resolver[]): Resolver {
  const [only] = sources
  if (sources.length === 1 && only !== undefined) return only
  return {
    watch: (query, signal) => watchAll(sources, query, signal),
    async refresh(query, signal) {
      const snapshots = await Promise.all(sources.map((source) => refreshOne(source, query, signal)))
      return merge(
        snapshots.filter((snapshot) => snapshot !== undefined),
        sources.length,
      )
    },
  }
}

function watchAll(sources: readonly Resolver[], query: Query, signal: AbortSignal): AsyncIterable<Snapshot> {
  const latest = new Latest<Snapshot>()
  const known: (Snapshot | undefined)[] = sources.map(() => undefined)
  const stop = new AbortController()
  const follow = async (source: Resolver, at: number) => {
    for await (const snapshot of source.watch(query, stop.signal)) {
      known[at] = snapshot
      latest.publish(
        merge(
          known.filter((one) => one !== undefined),
          sources.length,
        ),
      )
    }
  }
  const merged = latest.read(signal, () => stop.abort())
  if (!signal.aborted) {
    // A resolver's watch does not throw (its contract); if one did, the others would go on without it.
    for (const [at, source] of sources.entries()) follow(source, at).catch(() => {})
  }
  return merged
}

async function refreshOne(
  source: Resolver,
  query: Query,
  signal: AbortSignal,
): Promise<Snapshot | undefined> {
  if (source.refresh !== undefined) return source.refresh(query, signal)
  const stop = new AbortController()
  for await (const snapshot of source.watch(query, AbortSignal.any([signal, stop.signal]))) return snapshot
  return undefined
}

/** One snapshot of what several sources say; `expected` is how many there are. */
function merge(snapshots: readonly Snapshot[], expected: number): Snapshot {
  const instances = new Map<string, Instance>()
  let reason: RpcError | undefined
  let since = 0
  for (const snapshot of snapshots) {
    for (const [id, instance] of snapshot.instances) {
      const known = instances.get(id)
      if (known === undefined || known.incarnation < instance.incarnation) instances.set(id, instance)
    }
    reason ??= snapshot.reason
    since = Math.max(since, snapshot.since)
  }
  const count = (status: Snapshot['status']) => snapshots.filter((one) => one.status === status).length
  const status = count('live') === expected ? 'live' : count('lost') === snapshots.length ? 'lost' : 'stale'
  const revision = snapshots.map((snapshot) => snapshot.revision).join(' ')
  return Object.freeze({ revision, status, since, instances, ...(reason !== undefined && { reason }) })
}
