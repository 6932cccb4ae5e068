import { RpcError } from '../../core/error.ts'
import type { Instance } from '../../core/instance.ts'
import type { DiscoveryRoom } from '../source.ts'

/** How many servers a registry may name. */
export const maxEntries = 10_000
/** Of so many unreadable ones it is remembered that they were reported. */
const maxReported = 1_000

/** Reads all that a registry named; `read` throws for what it cannot read. */
export type ReadEntries = <T>(entries: readonly T[], read: (entry: T) => Instance) => Instance[]

/**
 * What cannot be read is left out, and reported once: one broken server must not hide the others.
 * The reader throws RpcError `data_loss` where nothing of a list can be read, for that is not a registry without servers.
 */
export function createEntryReader(room: DiscoveryRoom, target: string): ReadEntries {
  const reported = new Set<string>()
  const report = (entry: unknown, error: RpcError) => {
    const shown = show(entry)
    if (reported.has(shown) || reported.size >= maxReported) return
    reported.add(shown)
    const what = `names ${shown}, which cannot be read and is left out: ${error.message}`
    room.logger.warn({ event: 'resolver.unreadable', registry: target }, `${target}: ${what}`)
  }
  return (entries, read) => {
    let last: RpcError | undefined
    const instances = entries.flatMap((entry) => {
      try {
        return [read(entry)]
      } catch (thrown) {
        last = RpcError.from(thrown)
        report(entry, last)
        return []
      }
    })
    if (instances.length > 0 || last === undefined) return instances
    throw new RpcError('data_loss', `nothing that the registry names can be read: ${last.message}`)
  }
}

function show(entry: unknown): string {
  const text = JSON.stringify(entry)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
