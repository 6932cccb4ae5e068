import { formatEndpoint } from '../../core/endpoint.ts'
import { RpcError } from '../../core/error.ts'
import type { Instance } from '../../core/instance.ts'
import { isInternalName } from '../../core/names.ts'
import { invalid, readField, readOptionalText } from '../api/guards.ts'
import { decodeInstance, encodeInstance } from '../api/instance-data.ts'
import { maxMetadataBytes, maxNameLength, maxServices } from '../api/limits.ts'
import { dialableHost, readHost, readPort, tcpAddresses } from './endpoints.ts'
import type { HostPort } from './target.ts'

/** What the registry of the JSON lab holds of one server, as it is written there. */
export interface InstanceMeta {
  readonly protocol: string
  readonly host: string
  readonly port: number
  readonly status: 'true'
  readonly parameters: Readonly<Record<string, string>>
}

/** The parameter that has all of an instance; the others are there for other readers. */
const detailsName = 'farcall'
const ownNames: ReadonlySet<string> = new Set([detailsName, 'id', 'services', 'weight', 'zone'])

/** In this registry `json` is the protocol of the JSON lab; others have the names that they have here. */
export function protocolOf(proto: string): string {
  return proto === 'json' ? 'lab-json' : proto
}

/** One for each address at which the instance speaks one of the protocols. */
export function writeMetas(instance: Instance, protos: readonly string[]): InstanceMeta[] {
  const { endpoints: _, ...details } = encodeInstance(instance)
  const names = instance.services.map(({ name }) => name).filter((name) => !isInternalName(name))
  const parameters = Object.freeze({
    ...instance.metadata,
    id: instance.id,
    services: names.join(','),
    weight: String(instance.weight),
    ...(instance.zone !== undefined && { zone: instance.zone }),
    [detailsName]: JSON.stringify(details),
  })
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
 * Reads one. A server of the older system has nothing in its parameters, or what its author put there: `services`,
 * `weight`, `zone` and `id` mean what they mean here, and the rest is metadata.
 * @throws RpcError `invalid_argument` that names the field.
 */
export function readMeta(value: unknown, asked: { proto: string; registry: HostPort }): Instance {
  const host = dialableHost(readHost(value), asked.registry)
  const port = readPort(value)
  // What it was asked for, where it does not say.
  const proto = readOptionalText(readField(value, 'protocol', 'it'), 'protocol', maxNameLength) ?? asked.proto
  const endpoint = formatEndpoint({ protocol: protocolOf(proto), address: { transport: 'tcp', host, port } })
  const given = readField(value, 'parameters', 'it') ?? {}
  const details = readField(given, detailsName, 'parameters')
  const data = typeof details === 'string' ? parseDetails(details) : plainDetails(given, endpoint)
  return decodeInstance({ ...data, endpoints: [endpoint] }, 'it')
}

function parseDetails(text: string): object {
  try {
    const details: unknown = JSON.parse(text)
    if (typeof details === 'object' && details !== null) return details
  } catch (thrown) {
    throw invalid(`parameters.${detailsName}`, `is no JSON: ${RpcError.from(thrown).message}`)
  }
  throw invalid(`parameters.${detailsName}`, 'is no object')
}

function plainDetails(given: unknown, endpoint: string): object {
  const text = (name: string) => {
    const value = readField(given, name, 'parameters')
    return typeof value === 'string' && value !== '' && value.length <= maxNameLength ? value : undefined
  }
  const weight = Number(readField(given, 'weight', 'parameters') ?? 1)
  return {
    id: text('id') ?? endpoint.slice(-maxNameLength),
    services: readServices(readField(given, 'services', 'parameters')),
    weight: weight >= 0 && weight <= 1_000_000 ? weight : 1,
    zone: text('zone'),
    metadata: readMetadata(given as object),
  }
}

// `math,text`, or a list.
function readServices(value: unknown): object[] {
  const names = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : []
  return names
    .map((name) => (typeof name === 'string' ? name.trim() : ''))
    .filter((name) => name !== '' && name.length <= maxNameLength)
    .slice(0, maxServices)
    .map((name) => ({ name }))
}

// Others may put there what they like. What is no text, or too much, is of no use here.
function readMetadata(given: object): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null)
  let room = maxMetadataBytes
  for (const [name, value] of Object.entries(given)) {
    if (ownNames.has(name) || !['string', 'number', 'boolean'].includes(typeof value)) continue
    const text = String(value)
    // A character has three bytes at most, a pair of surrogates four.
    room -= 3 * (name.length + text.length)
    if (room < 0) break
    metadata[name] = text
  }
  return metadata
}
