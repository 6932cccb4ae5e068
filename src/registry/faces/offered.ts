import type { Endpoint } from '../../core/endpoint.ts'
import type { Instance } from '../../core/instance.ts'
import type { RegistryStore } from '../store.ts'
import type { Place } from './place.ts'

/** An instance, and how a client reaches it. */
export interface Offer<Way> {
  readonly instance: Instance
  readonly way: Way
}

/**
 * What the clients of an older system are told of: endpoints that they can dial (`dial` is undefined for others), whoever
 * registered them. They call any that they are told of, and do not pass over those that fail; so instances that stop, are
 * not to be called (weight 0), or have not been heard of in time are left out where there are others.
 */
export function findOffers<Way>(
  store: RegistryStore,
  dial: (endpoint: Endpoint) => Way | undefined,
  isMeant: (instance: Instance) => boolean = () => true,
): readonly Offer<Way>[] {
  const all: Offer<Way>[] = []
  for (const instance of store.instances()) {
    if (!isMeant(instance)) continue
    for (const endpoint of instance.endpoints) {
      const way = dial(endpoint)
      if (way !== undefined) all.push({ instance, way })
    }
  }
  const good = all.filter(({ instance }) => isGood(instance))
  return good.length > 0 ? good : all
}

/** How clients dial that speak this protocol, over TCP alone. */
export function overTcp(protocol: string): (endpoint: Endpoint) => Place | undefined {
  return (endpoint) => {
    const { address } = endpoint
    if (endpoint.protocol !== protocol || address.transport !== 'tcp') return undefined
    return { host: address.host, port: address.port }
  }
}

function isGood({ status, suspect, weight }: Instance): boolean {
  return status === 'up' && suspect !== true && weight > 0
}
