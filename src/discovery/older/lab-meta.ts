import { formatEndpoint } from '../../core/endpoint.ts'
import type { Instance } from '../../core/instance.ts'
import { readField, readOptionalText, readPort } from '../api/guards.ts'
import { decodeInstance } from '../api/instance-data.ts'
import { readParameters, writeParameters } from '../api/lab-parameters.ts'
import { protocolOf } from '../api/lab-protocol.ts'
import { maxNameLength } from '../api/limits.ts'
import { dialableHost, readHost, tcpAddresses } from './endpoints.ts'
import type { HostPort } from './target.ts'

/** What the registry of the JSON lab holds of one server, as it is written there. */
export interface InstanceMeta {
  readonly protocol: string
  readonly host: string
  readonly port: number
  readonly status: 'true'
  readonly parameters: Readonly<Record<string, string>>
}

/** One for each address at which the instance speaks one of the protocols. */
export function writeMetas(instance: Instance, protos: readonly string[]): InstanceMeta[] {
  const parameters = writeParameters(instance)
  return protos.flatMap((protocol) =>
    tcpAddresses(instance, protocolOf(protocol)).map(({ host, port }) => ({
      protocol,
      host,
      port,
      status: 'true' as const,
      parameters,
    })),
  )
}

/**
 * Reads one. What it says is believed, but for an address that nobody could dial.
 * @throws RpcError `invalid_argument` that names the field.
 */
export function readMeta(value: unknown, asked: { proto: string; registry: HostPort }): Instance {
  const host = dialableHost(readHost(value), asked.registry)
  const port = readPort(readField(value, 'port', 'it'), 'port')
  // What it was asked for, where it does not say.
  const proto = readOptionalText(readField(value, 'protocol', 'it'), 'protocol', maxNameLength) ?? asked.proto
  const endpoint = formatEndpoint({ protocol: protocolOf(proto), address: { transport: 'tcp', host, port } })
  const said = readParameters(readField(value, 'parameters', 'it') ?? {})
  // What others call their id may be that of several of them.
  const { owner = { id: endpoint.slice(-maxNameLength) }, ...rest } = said
  return decodeInstance({ ...rest, ...owner, endpoints: [endpoint] }, 'it')
}
