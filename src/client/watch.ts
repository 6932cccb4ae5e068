import { type Clock, sleep } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import { jitter, type Random } from '../core/random.ts'
import type { Query, Resolver, Snapshot } from '../discovery/resolver.ts'

interface WatchRoom {
  readonly resolver: Resolver
  readonly query: Query
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly signal: AbortSignal
}

// A resolver should neither throw nor end; one that does is asked again, but not in a tight loop.
const againMs = 1_000

/** Watches until the signal is aborted, whatever the resolver does. Never rejects. */
export async function watchForEver(room: WatchRoom, update: (snapshot: Snapshot) => void): Promise<void> {
  const { resolver, query, clock, random, logger, signal } = room
  while (!signal.aborted) {
    let reason = new RpcError('unavailable', 'the resolver stopped watching')
    try {
      for await (const snapshot of resolver.watch(query, signal)) update(snapshot)
    } catch (thrown) {
      reason = RpcError.from(thrown, 'unavailable')
    }
    if (signal.aborted) return
    logger.warn(
      { event: 'client.discovery', service: query.service, error: reason.toJSON() },
      'discovery was broken off; it starts again',
    )
    update({ revision: '', status: 'lost', since: clock.now(), instances: new Map(), reason })
    await sleep(clock, jitter(random, againMs, 0.5), signal).catch(() => {})
  }
}
