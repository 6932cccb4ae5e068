import { formatEndpoint } from '../../core/endpoint.ts'
import type { Instance } from '../../core/instance.ts'
import { maxEndpoints } from '../api/limits.ts'

/**
 * One instance for each id, with the endpoints of all that have it. Of two lives of a process the newer counts: the
 * registry has not noticed yet that the other is over.
 */
export function mergeById(list: readonly Instance[]): Instance[] {
  const merged = new Map<string, Instance>()
  for (const instance of list) {
    const known = merged.get(instance.id)
    if (known === undefined || known.incarnation < instance.incarnation) merged.set(instance.id, instance)
    else if (known.incarnation === instance.incarnation) merged.set(instance.id, unite(known, instance))
  }
  return [...merged.values()]
}

function unite(one: Instance, other: Instance): Instance {
  const endpoints = new Map(
    [...one.endpoints, ...other.endpoints].map((endpoint) => [formatEndpoint(endpoint), endpoint]),
  )
  return Object.freeze({ ...one, endpoints: Object.freeze([...endpoints.values()].slice(0, maxEndpoints)) })
}
