import { formatEndpoint } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import { type ListedEndpoint, parseListedEndpoint } from '../core/listed-endpoint.ts'
import { Latest } from './latest.ts'
import { mapAsync } from './map-async.ts'
import { matches, type Query, type Resolver, type Snapshot } from './resolver.ts'
import type { ResolverFactory } from './source.ts'

/** A list of endpoints that somebody wrote down; it can be replaced while it is in use. */
export interface StaticResolver extends Resolver {
  /** Watchers see the new list at once. An endpoint that is in both stays the same instance. */
  replace(endpoints: readonly ListedEndpoint[]): void
  refresh(query: Query, signal: AbortSignal): Promise<Snapshot>
}

/** Makes one. Nothing is known of the services there, so each endpoint is a candidate for all of them. */
export function createStaticResolver(
  endpoints: readonly ListedEndpoint[],
  options: { since?: number } = {},
): StaticResolver {
  const { since = 0 } = options
  const lists = new Latest<{ readonly revision: string; readonly instances: readonly Instance[] }>()
  let revision = 0
  const replace = (list: readonly ListedEndpoint[]) => {
    lists.publish({ revision: String(++revision), instances: list.map(instanceAt) })
  }
  const snapshot = (query: Query): Snapshot => {
    const list = lists.value ?? { revision: '0', instances: [] }
    const found = list.instances.filter((instance) => matches(instance, query))
    const instances = new Map(found.map((instance) => [instance.id, instance]))
    return Object.freeze({ revision: list.revision, status: 'live', since, instances })
  }
  replace(endpoints)
  return {
    replace,
    refresh: async (query) => snapshot(query),
    watch: (query, signal) => mapAsync(lists.read(signal), () => snapshot(query)),
  }
}

/** `static:tcp://a:1,tcp://b:1?weight=3`. */
export const staticResolvers: ResolverFactory = {
  schemes: ['static'],
  create: (target, room) => createStaticResolver(parseStaticTarget(target), { since: room.clock.now() }),
}

/** @throws RpcError `invalid_argument` for a target that has no endpoint, or one that cannot be read. */
export function parseStaticTarget(target: string): ListedEndpoint[] {
  const list = target.replace(/^static:/, '').split(',')
  const texts = list.map((text) => text.trim()).filter((text) => text !== '')
  if (texts.length === 0) {
    const message = `'${target.slice(0, 200)}' names no endpoint; for example static:tcp://10.0.0.5:8089,tcp://10.0.0.6:8089`
    throw new RpcError('invalid_argument', message)
  }
  return texts.map(parseListedEndpoint)
}

function instanceAt({ weight = 1, ...endpoint }: ListedEndpoint): Instance {
  return Object.freeze({
    id: formatEndpoint(endpoint),
    incarnation: 0,
    services: [],
    endpoints: [endpoint],
    weight,
    zone: undefined,
    metadata: {},
    status: 'up',
  })
}
