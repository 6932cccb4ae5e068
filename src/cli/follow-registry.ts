import { setTimeout as sleep } from 'node:timers/promises'
import { RpcError, type FarcallClient } from '../node.ts'
import type { InstanceData } from '../discovery/api/instance-data.ts'
import type { Change, FeedItem, GoneReason } from '../discovery/api/messages.ts'
import type { RegistryFace } from './ask-registry.ts'

/** What somebody who looks at a registry sees. */
export type Seen =
  | { readonly type: 'watching'; readonly instances: number }
  | { readonly type: 'up'; readonly instance: InstanceData }
  | {
      readonly type: 'gone'
      readonly id: string
      /** `unlisted`: an older registry names it no longer, and does not say why. */
      readonly reason: GoneReason | 'unlisted'
      readonly lastSeenMs?: number
    }
  | { readonly type: 'lost'; readonly message: string }

// The registry says something every ten seconds at least.
const silenceMs = 25_000
const againMs = 1_000

/**
 * Follows a service in a registry: those that are there, then each change. An outage of the registry is an event, too:
 * it goes on from where it was. Ends when the signal is aborted; rejects only if the registry refuses the question.
 */
export async function* followRegistry(
  client: FarcallClient,
  service: string,
  signal: AbortSignal,
): AsyncGenerator<Seen, void> {
  const known = new Known()
  let from: string | undefined
  let lost = false
  while (!signal.aborted) {
    try {
      for await (const item of openWatch(client, { service, from, signal })) {
        if (lost && item.kind === 'bookmark') yield { type: 'watching', instances: known.size }
        yield* known.apply(item)
        lost = false
        if (item.kind === 'bookmark' || item.more !== true) from = item.revision
      }
    } catch (thrown) {
      const error = RpcError.from(thrown)
      if (signal.aborted) return
      if (error.code === 'invalid_argument' || error.code === 'not_found') throw error
      if (!lost) yield { type: 'lost', message: error.message }
      lost = true
    }
    await sleep(againMs, undefined, { signal }).catch(() => {})
  }
}

async function* openWatch(
  client: FarcallClient,
  options: { readonly service: string; readonly from: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<FeedItem, void> {
  const { service, from, signal } = options
  const registry = client.service<RegistryFace>('farcall.registry')
  const request = { query: { service }, ...(from !== undefined && { from }) }
  yield* registry.$with({ signal, idleTimeoutMs: silenceMs }).watch(request)
}

/** What is known of those that are there. */
class Known {
  readonly #instances = new Map<string, InstanceData>()
  // A snapshot may come in several parts, and counts when the last one is there.
  #parts: InstanceData[] = []

  get size(): number {
    return this.#instances.size
  }

  *apply(item: FeedItem): Generator<Seen, void> {
    switch (item.kind) {
      case 'bookmark':
        return
      case 'snapshot':
        this.#parts.push(...item.instances)
        if (item.more !== true) yield* this.#replace()
        return
      case 'delta':
        for (const change of item.changes) yield this.#change(change)
    }
  }

  *#replace(): Generator<Seen, void> {
    const all = this.#parts
    this.#parts = []
    yield { type: 'watching', instances: all.length }
    const there = new Set(all.map(({ id }) => id))
    const gone = [...this.#instances.keys()].filter((id) => !there.has(id))
    for (const id of gone) {
      this.#instances.delete(id)
      yield { type: 'gone', id, reason: 'unregistered' }
    }
    for (const instance of all) {
      this.#instances.set(instance.id, instance)
      yield { type: 'up', instance }
    }
  }

  #change(change: Change): Seen {
    if (change.type === 'up') {
      this.#instances.set(change.instance.id, change.instance)
      return { type: 'up', instance: change.instance }
    }
    const { id, reason, lastSeenMs } = change
    this.#instances.delete(id)
    return { type: 'gone', id, reason, ...(lastSeenMs !== undefined && { lastSeenMs }) }
  }
}
