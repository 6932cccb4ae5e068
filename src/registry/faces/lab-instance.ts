import type { RpcError } from '../../core/error.ts'
import { showName } from '../../core/names.ts'
import type { Peer } from '../../core/peer.ts'
import { invalid, readText } from '../../discovery/api/guards.ts'
import {
  detailsName,
  type LabProcess,
  readParameters,
  type Said,
} from '../../discovery/api/lab-parameters.ts'
import { protocolOf } from '../../discovery/api/lab-protocol.ts'
import { maxNameLength } from '../../discovery/api/limits.ts'
import { isJsonObject, member, readJson } from '../../protocols/json-head/read-json.ts'
import { JsonSplitter } from '../../protocols/json-head/splitter.ts'
import { writeJson } from '../../protocols/json-head/write-json.ts'
import { type Place, readPlace } from './place.ts'
import { namedServices } from './service-names.ts'

/** The largest instance, as JSON in bytes: twice what may be in its parameters. */
const maxInstanceBytes = 8 * 1024
const maxDepth = 32
// In Python's JSON one character can become six.
const writing = { style: 'python', maxLength: 8 * maxInstanceBytes, maxDepth: maxDepth + 1 } as const

/** What a Python server says of itself. */
export interface LabInstance {
  /** As it was sent, with the members that we do not know. */
  readonly sent: JsonObject
  /** In our words: `json` means `lab-json` here. */
  readonly protocol: string
  readonly place: Place
  /** Where a process of ours has sent it. */
  readonly owner: LabProcess | undefined
  readonly said: LabSaid
}

/** What its parameters say. */
export interface LabSaid {
  /** Those of `services`, or what a process of ours says of them; empty where there are none. */
  readonly services: readonly unknown[]
  /** The parameters as texts: what is one already as it is, everything else as JSON. */
  readonly metadata: Readonly<Record<string, string>>
  /** From a process of ours. To others the name may mean anything. */
  readonly weight?: number
  readonly zone?: string | undefined
}

export type JsonObject = Readonly<Record<string, unknown>>

/** @throws RpcError `invalid_argument` that names what is wrong. */
export function readLabInstance(body: Uint8Array, peer: Peer | undefined): LabInstance {
  const sent = readObject(body)
  const parameters = member(sent, 'parameters') ?? {}
  if (!isJsonObject(parameters)) throw invalid('parameters', 'should be an object')
  return {
    sent,
    protocol: readProtocol(member(sent, 'protocol')),
    place: readPlace({ host: member(sent, 'host'), port: member(sent, 'port') }, peer),
    ...readSaid(parameters),
  }
}

function readSaid(parameters: JsonObject): Pick<LabInstance, 'owner' | 'said'> {
  const ours = readOurs(parameters)
  if (ours?.owner === undefined) {
    const services = namedServices(readServices(member(parameters, 'services')))
    return { owner: undefined, said: { services, metadata: toTexts(parameters) } }
  }
  const { owner, services, weight, zone, metadata } = ours
  // All that can be looked for; the details would only be told to every watcher twice.
  const { [detailsName]: _, ...texts } = toTexts(parameters)
  const list = Array.isArray(services) ? services : []
  return { owner, said: { services: list, weight, zone, metadata: { ...texts, ...metadata } } }
}

function readOurs(parameters: JsonObject): Said | undefined {
  try {
    return readParameters(parameters)
  } catch {
    // Somebody else means something else by this name.
    return undefined
  }
}

/** An instance as it was sent, with its status. */
export function answerInstance(sent: JsonObject, status: boolean): string {
  return writeJson({ ...sent, status }, writing)
}

/** The members of an instance that do not depend on where it is and who asks: parameters, and what we do not know. */
export function writeRest(sent: JsonObject): string {
  const { protocol: _protocol, host: _host, port: _port, status: _status, ...rest } = sent
  const { parameters, ...unknown } = rest
  return writeJson({ parameters: parameters ?? {}, ...unknown }, writing).slice(1, -1)
}

function readObject(body: Uint8Array): JsonObject {
  if (body.length > maxInstanceBytes) {
    throw invalid('the instance', `has ${body.length} bytes, at most ${maxInstanceBytes} are allowed`)
  }
  const found: unknown[] = []
  const options = { maxBytes: maxInstanceBytes, maxDepth, lists: false }
  const splitter = new JsonSplitter(options, (bytes, range, problem) => {
    if (problem !== undefined) throw invalid('the instance', `cannot be read: ${problem.message}`)
    found.push(readJson(bytes, range, 'python'))
  })
  splitter.push(body)
  const [object] = found
  if (found.length !== 1 || splitter.partial || !isJsonObject(object)) throw noInstance()
  return withoutOddNumbers(object) as JsonObject
}

function noInstance(): RpcError {
  return invalid(
    'the body',
    'should be one JSON object, such as {"protocol": "json", "host": "10.0.0.5", "port": 8089, "parameters": {}}',
  )
}

// Python writes NaN and Infinity, and nobody else could read the whole list for one of them.
function withoutOddNumbers(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (Array.isArray(value)) return value.map(withoutOddNumbers)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutOddNumbers(part)]))
}

function readProtocol(value: unknown): string {
  const name = readText(value, 'protocol', maxNameLength)
  // Otherwise clients could not read the endpoint that it becomes.
  if (/^[a-z][a-z0-9-]*$/.test(name)) return protocolOf(name)
  throw invalid('protocol', `should be lower-case letters, digits and -, such as json, got ${showName(name)}`)
}

// Other programs may mean something else by `services`: that is metadata, and no names.
function readServices(value: unknown): readonly string[] {
  const list = typeof value === 'string' ? value.split(',') : value
  if (!Array.isArray(list) || !list.every((name): name is string => typeof name === 'string')) return []
  return list.map((name) => name.trim()).filter((name) => name !== '')
}

function toTexts(parameters: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : writeJson(value, { ...writing, style: 'compact' }),
    ]),
  )
}
