import { RpcError } from '../../core/error.ts'
import type { Instance, ServiceEntry } from '../../core/instance.ts'
import { isInternalName } from '../../core/names.ts'
import { maxWeight } from '../../core/weight.ts'
import { byteLength, invalid, readField, readPairs } from './guards.ts'
import { maxMetadataBytes, maxNameLength, maxServices } from './limits.ts'

// What stands in the `parameters` of a server, which the older system leaves to its authors: its metadata, and beside it
// `id`, `services` ("math,text"), `weight` and `zone`, for whoever may read them. What these cannot say is in `farcall`, as
// JSON: versions and methods, the incarnation, and metadata that has one of these names.

/** Which of the parameters is written by processes of ours alone. */
export const detailsName = 'farcall'
const plainNames: ReadonlySet<string> = new Set([detailsName, 'services', 'weight', 'zone'])
const ownNames: ReadonlySet<string> = new Set([...plainNames, 'id'])

type Texts = Readonly<Record<string, string>>

/**
 * All texts. Where they would be more than a registry of ours takes (4 KiB), methods are left out, then versions, then all
 * details.
 */
export function writeParameters(instance: Instance): Texts {
  const { services, metadata, weight, zone, incarnation } = instance
  const names = services.map(({ name }) => name).filter((name) => !isInternalName(name))
  const [own, others] = split(metadata)
  const plain = {
    ...others,
    id: instance.id,
    services: names.join(','),
    weight: String(weight),
    ...(zone !== undefined && { zone }),
  }
  const withDetails = (details: object) => {
    return { ...plain, [detailsName]: JSON.stringify({ incarnation, ...details }) }
  }
  const withServices = (list: readonly ServiceEntry[]) => withDetails({ services: list, metadata: own })
  const withoutMethods = services.map(({ methods: _, ...rest }) => rest)
  const from = [withServices(services), withServices(withoutMethods), withDetails({ metadata: own })]
  return from.find(isSmall) ?? plain
}

/** One life of a process of ours, which may be registered at several places. */
export interface LabProcess {
  readonly id: string
  /** Of two lives the one with the higher is the newer. */
  readonly incarnation: number
}

/** What the parameters say of an instance; nothing is known of their shape. */
export interface Said {
  /** Undefined where it is not one of ours: what others call `id` need not be unique. */
  readonly owner: LabProcess | undefined
  readonly services: unknown
  readonly weight: number
  readonly zone: string | undefined
  readonly metadata: Texts
}

/**
 * Reads them, whoever has written them: what makes no sense, or is too much, says nothing.
 * @throws RpcError `invalid_argument` where `farcall` is no JSON.
 */
export function readParameters(given: unknown): Said {
  const details = parseDetails(readField(given, detailsName, 'parameters'))
  const owner = readProcess(readName(given, 'id'), readField(details, 'incarnation', detailsName))
  return {
    owner,
    services:
      readField(details, 'services', detailsName) ?? readServices(readField(given, 'services', 'parameters')),
    weight: readWeight(readField(given, 'weight', 'parameters')),
    zone: readName(given, 'zone'),
    metadata: {
      ...readMetadata(given as object, owner === undefined ? plainNames : ownNames),
      ...readPairs(readField(details, 'metadata', detailsName), `${detailsName}.metadata`, maxMetadataBytes),
    },
  }
}

function readName(given: unknown, name: string): string | undefined {
  const value = readField(given, name, 'parameters')
  return typeof value === 'string' && value !== '' && value.length <= maxNameLength ? value : undefined
}

function readProcess(id: string | undefined, incarnation: unknown): LabProcess | undefined {
  const isWhole = Number.isSafeInteger(incarnation) && (incarnation as number) >= 0
  return id !== undefined && isWhole ? { id, incarnation: incarnation as number } : undefined
}

// `Number('')` is 0, and who weighs nothing is not called.
function readWeight(value: unknown): number {
  const weight =
    typeof value === 'number' || (typeof value === 'string' && /\d/.test(value)) ? Number(value) : 1
  return weight >= 0 && weight <= maxWeight ? weight : 1
}

function split(metadata: Texts): [own: Texts, others: Texts] {
  const pairs = Object.entries(metadata)
  return [
    Object.fromEntries(pairs.filter(([name]) => ownNames.has(name))),
    Object.fromEntries(pairs.filter(([name]) => !ownNames.has(name))),
  ]
}

function isSmall(texts: Texts): boolean {
  return byteLength(Object.entries(texts).flat().join('')) <= maxMetadataBytes
}

function parseDetails(text: unknown): unknown {
  if (typeof text !== 'string') return {}
  try {
    return JSON.parse(text)
  } catch (thrown) {
    throw invalid(`parameters.${detailsName}`, `is no JSON: ${RpcError.from(thrown).message}`)
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

function readMetadata(given: object, others: ReadonlySet<string>): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null)
  let room = maxMetadataBytes
  for (const [name, value] of Object.entries(given)) {
    if (others.has(name) || !['string', 'number', 'boolean'].includes(typeof value)) continue
    const text = String(value)
    room -= byteLength(name) + byteLength(text)
    if (room < 0) break
    metadata[name] = text
  }
  return metadata
}
