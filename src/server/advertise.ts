import { type Address, type Endpoint, isWildcardHost } from '../core/endpoint.ts'
import type { Advertise } from './options.ts'

/** What a server tells others to dial. */
export interface AdvertiseInput {
  /** Where it listens, ports as they are; with the one protocol that is spoken there, if not all. */
  readonly listening: readonly { readonly address: Address; readonly protocol: string | undefined }[]
  /** The protocols that can be told apart on any connection, best first. */
  readonly protocols: readonly string[]
  readonly advertise: readonly Advertise[]
  /** What stands for a wildcard. */
  readonly host: string
}

/** The endpoints for a registry: each address with each protocol that is spoken there. */
export function advertisedEndpoints(input: AdvertiseInput): Endpoint[] {
  const { listening, protocols, advertise } = input
  const places =
    advertise.length > 0
      ? advertise.flatMap((one) => named(one, listening))
      : listening.map(({ address, protocol }) => ({ address: dialable(address, input.host), protocol }))
  return places.flatMap(({ address, protocol }) =>
    (protocol === undefined ? protocols : [protocol]).map((spoken) => ({ protocol: spoken, address })),
  )
}

/** Whether what others should dial depends on how the machine is seen. */
export function needsHost({
  listening,
  advertise,
}: Pick<AdvertiseInput, 'listening' | 'advertise'>): boolean {
  return (
    advertise.length === 0 &&
    listening.some(({ address }) => 'host' in address && isWildcardHost(address.host))
  )
}

function named(given: Advertise, listening: AdvertiseInput['listening']): AdvertiseInput['listening'] {
  if (given.kind === 'target') {
    const { address, protocol } = given.target
    if (!('port' in address) || address.port !== 0) return [given.target]
    const same = listening.find((place) => place.address.transport === address.transport)?.address
    return [{ address: { ...address, port: same !== undefined && 'port' in same ? same.port : 0 }, protocol }]
  }
  const { host, port } = given
  const places = listening.flatMap(({ address, protocol }) =>
    'host' in address ? [{ address: { ...address, host, port: port || address.port }, protocol }] : [],
  )
  // A port that was named stands for one place only, a forwarded port; without one every listener has its own.
  return port ? places.slice(0, 1) : places
}

function dialable(address: Address, host: string): Address {
  return 'host' in address && isWildcardHost(address.host) ? { ...address, host } : address
}
