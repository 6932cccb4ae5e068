import { type Endpoint, formatEndpoint, isWildcardHost, parseEndpoint } from '../../core/endpoint.ts'
import type { Instance, ServiceEntry } from '../../core/instance.ts'
import { invalid, readField, readList, readNumber, readOptionalText, readPairs, readText } from './guards.ts'
import {
  maxEndpointLength,
  maxEndpoints,
  maxMetadataBytes,
  maxMethods,
  maxNameLength,
  maxServices,
} from './limits.ts'

/** An {@link Instance} as plain data: what crosses the wire. Endpoints are texts. */
export interface InstanceData {
  readonly id: string
  readonly incarnation: number
  readonly services: readonly ServiceEntry[]
  readonly endpoints: readonly string[]
  readonly weight: number
  readonly zone?: string
  readonly metadata: Readonly<Record<string, string>>
  readonly status: 'up' | 'draining'
  /** The registry has not heard from it in time, but too many went silent at once to believe it. */
  readonly suspect?: true
}

/** The plain data of an instance, frozen. */
export function encodeInstance(instance: Instance): InstanceData {
  return Object.freeze({
    id: instance.id,
    incarnation: instance.incarnation,
    services: instance.services,
    endpoints: Object.freeze(instance.endpoints.map(formatEndpoint)),
    weight: instance.weight,
    ...(instance.zone !== undefined && { zone: instance.zone }),
    metadata: instance.metadata,
    status: instance.status,
    ...(instance.suspect === true && { suspect: true as const }),
  })
}

/**
 * Reads an instance from data of unknown shape; the result is frozen and shares nothing with it.
 * @throws RpcError `invalid_argument` that names the field (`path` is where the instance stands).
 */
export function decodeInstance(value: unknown, path: string): Instance {
  const services = readList(readField(value, 'services', path) ?? [], `${path}.services`, maxServices)
  const endpoints = readList(readField(value, 'endpoints', path), `${path}.endpoints`, maxEndpoints)
  if (endpoints.length === 0) throw invalid(`${path}.endpoints`, 'is empty: nobody could reach the instance')
  const suspect = readField(value, 'suspect', path) === true
  return Object.freeze({
    id: readText(readField(value, 'id', path), `${path}.id`, maxNameLength),
    incarnation: readIncarnation(readField(value, 'incarnation', path), `${path}.incarnation`),
    services: Object.freeze(services.map((entry, i) => decodeService(entry, `${path}.services[${i}]`))),
    endpoints: Object.freeze(endpoints.map((text, i) => decodeEndpoint(text, `${path}.endpoints[${i}]`))),
    weight: readNumber(readField(value, 'weight', path) ?? 1, `${path}.weight`, {
      min: 0,
      max: 1_000_000,
      whole: false,
    }),
    zone: readOptionalText(readField(value, 'zone', path), `${path}.zone`, maxNameLength),
    metadata: readPairs(readField(value, 'metadata', path), `${path}.metadata`, maxMetadataBytes),
    status: decodeStatus(readField(value, 'status', path), `${path}.status`),
    ...(suspect && { suspect }),
  })
}

/** A number that grows with each registration; 0 where nothing is said. */
export function readIncarnation(value: unknown, path: string): number {
  return readNumber(value ?? 0, path, { min: 0, max: Number.MAX_SAFE_INTEGER, whole: true })
}

/** About how many bytes an instance takes on the wire. */
export function sizeOf(data: InstanceData): number {
  let size = 100 + data.id.length + (data.zone?.length ?? 0)
  for (const { name, version = '', methods = [] } of data.services) {
    size += 24 + name.length + version.length
    for (const method of methods) size += 4 + method.length
  }
  for (const endpoint of data.endpoints) size += 4 + endpoint.length
  for (const name in data.metadata) size += 8 + name.length + (data.metadata[name]?.length ?? 0)
  return size
}

function decodeService(value: unknown, path: string): ServiceEntry {
  const version = readOptionalText(readField(value, 'version', path), `${path}.version`, maxNameLength)
  const methods = readField(value, 'methods', path)
  return Object.freeze({
    name: readText(readField(value, 'name', path), `${path}.name`, maxNameLength),
    ...(version !== undefined && { version }),
    ...(methods !== undefined && methods !== null && { methods: decodeMethods(methods, `${path}.methods`) }),
  })
}

function decodeMethods(value: unknown, path: string): readonly string[] {
  const list = readList(value, path, maxMethods)
  return Object.freeze(list.map((name, i) => readText(name, `${path}[${i}]`, maxNameLength)))
}

function decodeStatus(value: unknown, path: string): Instance['status'] {
  if (value === undefined || value === 'up') return 'up'
  if (value === 'draining') return 'draining'
  throw invalid(path, `should be 'up' or 'draining'`)
}

function decodeEndpoint(value: unknown, path: string): Endpoint {
  const text = readText(value, path, maxEndpointLength)
  let endpoint: Endpoint
  try {
    endpoint = parseEndpoint(text)
  } catch (error) {
    throw invalid(path, `cannot be read: ${(error as Error).message}`)
  }
  const { address } = endpoint
  if (address.transport !== 'tcp' && address.transport !== 'tls') return endpoint
  if (isWildcardHost(address.host)) {
    const hint = `advertise an address that others can connect to, such as tcp://10.0.0.5:${address.port}`
    throw invalid(path, `is '${text}', and ${address.host} is no address of one machine: ${hint}`)
  }
  if (address.port === 0)
    throw invalid(path, `is '${text}': port 0 cannot be connected to; advertise the real port`)
  return endpoint
}
