import type { Endpoint } from '../../core/endpoint.ts'
import type { Instance } from '../../core/instance.ts'
import type { RegistryStore } from '../store.ts'

/** An instance, and a place at which it can be reached. */
export interface Offer {
  readonly instance: Instance
  readonly endpoint: Endpoint
}

/**
 * What the clients of an older system are told of: endpoints that they can dial, whoever registered them. They call any
 * that they are told of, and do not pass over those that fail; so instances that stop, are not to be called (weight 0),
 * or have not been heard of in time are left out where there are others.
 */
export function findOffers(
  store: RegistryStore,
  canDial: (endpoint: Endpoint) => boolean,
  isMeant: (instance: Instance) => boolean = () => true,
): readonly Offer[] {
  const all: Offer[] = []
  for (const instance of store.instances()) {
    if (!isMeant(instance)) continue
    for (const endpoint of instance.endpoints) if (canDial(endpoint)) all.push({ instance, endpoint })
  }
  const good = all.filter(({ instance }) => isGood(instance))
  return good.length > 0 ? good : all
}

function isGood({ status, suspect, weight }: Instance): boolean {
  return status === 'up' && suspect !== true && weight > 0
}
