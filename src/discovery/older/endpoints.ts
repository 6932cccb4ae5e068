import { type Address, type Endpoint, formatEndpoint, isWildcardHost } from '../../core/endpoint.ts'
import { RpcError } from '../../core/error.ts'
import type { Instance } from '../../core/instance.ts'
import { listNames } from '../../core/names.ts'
import { readField, readText } from '../api/guards.ts'
import { decodeInstance } from '../api/instance-data.ts'
import { maxNameLength } from '../api/limits.ts'
import type { HostPort } from './target.ts'

/** A host has 253 characters at most, an address fewer. */
const maxHostLength = 255

type TcpAddress = Extract<Address, { transport: 'tcp' | 'tls' }>

/** The addresses at which an instance speaks a protocol over plain TCP: older peers know no other. */
export function tcpAddresses(instance: Instance, protocol: string): TcpAddress[] {
  return instance.endpoints.flatMap(({ protocol: spoken, address }) =>
    spoken === protocol && address.transport === 'tcp' ? [address] : [],
  )
}

/** An `invalid_argument` for an instance that the peers of a registry could not call. */
export function lacksEndpoint(instance: Instance, target: string, protocols: readonly string[]): RpcError {
  const wanted = protocols.join(' or ')
  const has = listNames(instance.endpoints.map(formatEndpoint), 5)
  const hint = `name ${wanted} in 'protocols' of serve (and of createFarcall), and listen at tcp://host:port`
  const message = `${target} is for servers that speak ${wanted} over tcp, and instance '${instance.id}' has only ${has}; ${hint}`
  return new RpcError('invalid_argument', message)
}

/** The field `host` of a server that a registry names; it may be empty. */
export function readHost(value: unknown): string {
  const host = readField(value, 'host', 'it')
  return host === '' ? '' : readText(host, 'host', maxHostLength)
}

/**
 * The host to dial for one that a server registered. Older servers register what they listen at: 0.0.0.0, [::], nothing.
 * Then the registry's own host is meant, for most of these systems stand on one machine, and it is the only other that is
 * known.
 */
export function dialableHost(host: string, registry: HostPort): string {
  return host === '' || isWildcardHost(host) ? registry.host : host
}

/**
 * An instance of which nothing is known but where it is.
 * @throws RpcError `invalid_argument` for an endpoint that nobody could dial.
 */
export function bareInstance(endpoint: Endpoint): Instance {
  const text = formatEndpoint(endpoint)
  return decodeInstance({ id: text.slice(-maxNameLength), endpoints: [text] }, 'it')
}
