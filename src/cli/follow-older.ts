import { encodeInstance } from '../discovery/api/instance-data.ts'
import type { Instance, Resolver } from '../node.ts'
import type { Seen } from './follow-registry.ts'

/**
 * Follows a service in a registry of an older system, which is asked again and again: those that are there, then what is
 * different from the time before. An outage is an event, too. Ends when the signal is aborted.
 */
export async function* followOlder(
  resolver: Resolver,
  service: string,
  signal: AbortSignal,
): AsyncGenerator<Seen, void> {
  let known: ReadonlyMap<string, Instance> | undefined
  let lost = false
  for await (const { status, reason, instances } of resolver.watch({ service }, signal)) {
    if (status !== 'live') {
      if (!lost) yield { type: 'lost', message: reason?.message ?? 'it does not answer' }
      lost = true
      continue
    }
    if (lost || known === undefined) yield { type: 'watching', instances: instances.size }
    yield* differences(known ?? new Map(), instances)
    lost = false
    known = instances
  }
}

// What has not changed stays the same object.
function* differences(
  before: ReadonlyMap<string, Instance>,
  now: ReadonlyMap<string, Instance>,
): Generator<Seen> {
  for (const id of before.keys()) if (!now.has(id)) yield { type: 'gone', id, reason: 'unlisted' }
  for (const [id, instance] of now)
    if (before.get(id) !== instance) yield { type: 'up', instance: encodeInstance(instance) }
}
