import { setTimeout as sleep } from 'node:timers/promises'
import { RpcError, type FarcallClient } from '../node.ts'
import type { InstanceData } from '../discovery/api/instance-data.ts'
import type { FeedItem, GoneReason } from '../discovery/api/messages.ts'
import type { RegistryFace } from './ask-registry.ts'

/** What somebody who looks at a registry sees. */
export type Seen =
  | { readonly type: 'watching'; readonly instances: number }
  | { readonly type: 'up'; readonly instance: InstanceData }
  | { readonly type: 'gone'; readonly id: string; readonly reason: GoneReason; readonly lastSeenMs?: number }
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
  const known = new Map<string, InstanceData>()
  let from: string | undefined
  let lost = false
  while (!signal.aborted) {
    try {
      for await (const item of openWatch(client, { service, from, signal })) {
        if (lost && item.kind === 'bookmark') yield { type: 'watching', instances: known.size }
        yield* apply(item, known)
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

function* apply(item: FeedItem, known: Map<string, InstanceData>): Generator<Seen, void> {
  switch (item.kind) {
    case 'bookmark':
      return
    case 'snapshot': {
      yield { type: 'watching', instances: item.instances.length }
      const there = new Set(item.instances.map(({ id }) => id))
      for (const id of [...known.keys()]) {
        if (there.has(id) || item.more === true) continue
        known.delete(id)
        yield { type: 'gone', id, reason: 'unregistered' }
      }
      for (const instance of item.instances) {
        known.set(instance.id, instance)
        yield { type: 'up', instance }
      }
      return
    }
    case 'delta':
      for (const change of item.changes) {
        if (change.type === 'up') {
          known.set(change.instance.id, change.instance)
          yield { type: 'up', instance: change.instance }
        } else {
          known.delete(change.id)
          const { id, reason, lastSeenMs } = change
          yield { type: 'gone', id, reason, ...(lastSeenMs !== undefined && { lastSeenMs }) }
        }
      }
  }
}
