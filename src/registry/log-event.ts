import { formatEndpoint } from '../core/endpoint.ts'
import { type Instance, offeredNames } from '../core/instance.ts'
import type { Logger } from '../core/log.ts'
import { isInternalName, listNames } from '../core/names.ts'
import { showPlaces } from '../core/places.ts'
import type { RegistryEvent } from './events.ts'

/** Writes the line for an event. */
export function logEvent(logger: Logger, event: RegistryEvent): void {
  switch (event.type) {
    case 'renewed':
      if (logger.isLevelEnabled?.('debug') === false) return
      return logger.debug(
        { event: 'registry.renewed', lease: event.lease, instances: event.instances },
        `renewed lease ${event.lease} (${event.instances} ${event.instances === 1 ? 'instance' : 'instances'})`,
      )
    case 'registered':
    case 'updated':
    case 'drained':
      return logger.info(
        { event: `registry.${event.type}`, lease: event.lease, ...shown(event.instance) },
        `${event.type} ${event.instance.id}${whatItIs(event.instance)}`,
      )
    case 'unregistered':
    case 'expired':
    case 'superseded':
    case 'suspected': {
      const fields = {
        event: `registry.${event.type}`,
        lease: event.lease,
        ...shown(event.instance),
        lastSeenMs: Math.round(event.lastSeenMs),
      }
      const level = event.type === 'unregistered' ? 'info' : 'warn'
      const ago = `last seen ${(event.lastSeenMs / 1000).toFixed(1)} s ago`
      return logger[level](fields, `${event.type} ${event.instance.id}${whatItIs(event.instance)}, ${ago}`)
    }
    case 'preserving':
      return logger.error(
        { event: 'registry.preserving', silent: event.silent, known: event.known },
        `${event.silent} of ${event.known} instances went silent together: kept, marked suspect, until it is clear why`,
      )
    case 'paused':
      return logger.warn(
        { event: 'registry.paused', latenessMs: Math.round(event.latenessMs) },
        `the registry itself stood still for ${Math.round(event.latenessMs)} ms: leases are extended`,
      )
    case 'refused':
      return logger.warn(
        { event: 'registry.refused', lease: event.lease, error: event.error.toJSON() },
        `refused: ${event.error.message}`,
      )
  }
}

/** Where it is and what it offers, Farcall's own services left out. */
function whatItIs(instance: Instance): string {
  const services = instance.services.flatMap(offeredNames).filter((name) => !isInternalName(name))
  const offers = services.length === 0 ? '' : ` (${listNames(services)})`
  return ` at ${showPlaces(instance.endpoints.map(formatEndpoint))}${offers}`
}

function shown(instance: Instance): Record<string, unknown> {
  return {
    id: instance.id,
    incarnation: instance.incarnation,
    endpoints: instance.endpoints.map(formatEndpoint),
    services: instance.services.flatMap(offeredNames),
  }
}
