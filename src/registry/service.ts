import { RpcError } from '../core/error.ts'
import { currentCall } from '../core/context.ts'
import { method } from '../core/method.ts'
import type {
  FeedItem,
  ListReply,
  OriginReply,
  RegisterReply,
  RenewReply,
} from '../discovery/api/messages.ts'
import { readLeaseRequest, readListing, readRegistering, readRenewing, readWatching } from './requests.ts'
import { seenHost } from './seen-host.ts'
import type { RegistryStore } from './store.ts'
import { Watch } from './watch.ts'

const asBefore: RenewReply = Object.freeze({})

/**
 * The methods of the service `farcall.registry`, on one store. Requests and replies are those of
 * `discovery/api/messages.ts`; requests are of unknown shape until they have been read. All can be repeated without
 * harm.
 */
export function registryMethods(store: RegistryStore) {
  const watches = new Set<Watch>()
  const { ttlMs, maxWatches } = store.options

  function watch(request?: unknown): AsyncIterable<FeedItem> {
    const { query, from } = readWatching(request)
    if (watches.size >= maxWatches) {
      throw new RpcError('resource_exhausted', `the registry has ${maxWatches} watches, which is its limit`)
    }
    const made: Watch = new Watch(store, query, { from, onClose: () => watches.delete(made) })
    watches.add(made)
    return made
  }

  const methods = {
    register: idempotent(
      'Registers all instances of a lease; what it held before is replaced.',
      (request: unknown) => {
        const { lease, instances } = readRegistering(request, ttlMs)
        return store.register(lease, instances)
      },
    ),
    update: idempotent('The same for a lease that must be there.', (request: unknown) => {
      const { lease, instances } = readRegistering(request, ttlMs)
      return store.update(lease, instances)
    }),
    renew: idempotent('Keeps leases alive, and tells which are lost.', (request: unknown): RenewReply => {
      const lost = store.renew(readRenewing(request))
      return lost.length === 0 ? asBefore : { lost }
    }),
    drain: idempotent('Marks instances as taking no new calls.', (request: unknown): void => {
      const { lease, ids } = readLeaseRequest(request)
      store.drain(lease, ids)
    }),
    unregister: idempotent('Takes instances, or the whole lease, out.', (request: unknown): void => {
      const { lease, ids } = readLeaseRequest(request)
      store.unregister(lease, ids)
    }),
    list: method(
      {
        idempotent: true,
        params: ['request?'],
        context: false,
        doc: 'One page of the instances that match.',
      },
      (request?: unknown): ListReply => {
        const { query, after } = readListing(request)
        return store.views.list(query, after)
      },
    ),
    origin: method(
      { idempotent: true, params: [], doc: 'From which host the caller is seen to call.' },
      (): OriginReply => {
        const host = seenHost(currentCall()?.peer)
        return host === undefined ? {} : { host }
      },
    ),
    watch: method(
      {
        idempotent: true,
        params: ['request?'],
        streams: 'output',
        context: false,
        doc: 'A snapshot of the instances that match, then each change.',
      },
      watch,
    ),
  }
  return { methods, watches: () => watches.size, closeWatches: () => closeAll(watches) }
}

/** A method of one request. */
function idempotent<Reply extends RegisterReply | RenewReply | void>(
  doc: string,
  fn: (request: unknown) => Reply,
) {
  return method({ idempotent: true, params: ['request'], context: false, doc }, fn)
}

function closeAll(watches: Set<Watch>): void {
  for (const watch of watches) watch.close()
}
