import { RpcError } from '../../core/error.ts'
import type { Instance, ServiceEntry } from '../../core/instance.ts'
import { isInternalName } from '../../core/names.ts'
import { byteLength, invalid, readField, readPairs } from '../api/guards.ts'
import { maxMetadataBytes, maxNameLength, maxServices } from '../api/limits.ts'

// What stands in the `parameters` of a server, which the older system leaves to its authors: its metadata, and beside it
// `id`, `services` ("math,text"), `weight` and `zone`, for whoever may read them. What these cannot say is in `farcall`, as
// JSON: versions and methods, the incarnation, and metadata that has one of these names.

const detailsName = 'farcall'
const ownNames: ReadonlySet<string> = new Set([detailsName, 'id', 'services', 'weight', 'zone'])

type Texts = Readonly<Record<string, string>>

/** All texts. Where they would be more than a registry of ours takes (4 KiB), methods are left out, then all details. */
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
  const withDetails = (list: readonly ServiceEntry[]) => {
    const details = { incarnation, services: list, metadata: own }
    return { ...plain, [detailsName]: JSON.stringify(details) }
  }
  const withoutMethods = services.map(({ methods: _, ...rest }) => rest)
  return [withDetails(services), withDetails(withoutMethods)].find(isSmall) ?? plain
}

/** What the parameters say of an instance; nothing is known of their shape. */
export interface Said {
  readonly id: string | undefined
  readonly incarnation: unknown
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
  const text = (name: string) => {
    const value = readField(given, name, 'parameters')
    return typeof value === 'string' && value !== '' && value.length <= maxNameLength ? value : undefined
  }
  const weight = Number(readField(given, 'weight', 'parameters') ?? 1)
  const details = parseDetails(readField(given, detailsName, 'parameters'))
  return {
    id: text('id'),
    incarnation: readField(details, 'incarnation', detailsName),
    services:
      readField(details, 'services', detailsName) ?? readServices(readField(given, 'services', 'parameters')),
    weight: weight >= 0 && weight <= 1_000_000 ? weight : 1,
    zone: text('zone'),
    metadata: {
      ...readMetadata(given as object),
      ...readPairs(readField(details, 'metadata', detailsName), `${detailsName}.metadata`, maxMetadataBytes),
    },
  }
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

function readMetadata(given: object): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null)
  let room = maxMetadataBytes
  for (const [name, value] of Object.entries(given)) {
    if (ownNames.has(name) || !['string', 'number', 'boolean'].includes(typeof value)) continue
    const text = String(value)
    room -= byteLength(name) + byteLength(text)
    if (room < 0) break
    metadata[name] = text
  }
  return metadata
}
