import { parse as parseIni } from 'ini'
import { formatHostPort } from '../../core/endpoint.ts'
import type { ParsedFile } from './parsed-file.ts'
import { isRecord, readText, type Value } from './read.ts'

// The two files that the older systems come with. They belong to the older programs too: what else they hold is left
// alone, and is never an error.

/**
 * Reads a `config.ini`: `registry_host` and `registry_port` of `[registry]`, or of any other section, each of which is an
 * environment; in `[registry]`, `[local]` and `[docker]` also `host` and `port`. Undefined where it names no registry.
 * @throws UsageError for a port that is none.
 */
export function readOlderIni(text: string, path: string): ParsedFile | undefined {
  const sections = Object.entries<unknown>(parseIni(text)).map(([name, content]) => ({
    name,
    keys: isRecord(content) ? new Map(keysOf(content)) : new Map<string, string>(),
  }))
  // What [DEFAULT] holds is every section's, as in Python.
  const defaults = sections.find(({ name }) => name === 'DEFAULT')?.keys ?? new Map<string, string>()
  const environments = new Map<string, Values>()
  const ignored: string[] = []
  for (const { name, keys } of sections) {
    if (name === 'DEFAULT') continue
    const isMeant = [...keys.keys()].some((key) => fullKeys.includes(key) || isShort(name, key))
    const place = isMeant ? placeOf(new Map([...defaults, ...keys]), `${path}: ${name}`) : undefined
    if (place === undefined) ignored.push(name)
    else {
      environments.set(name.toLowerCase(), new Map([['registry', target('http', place)]]))
      ignored.push(...strangers(keys, name))
    }
  }
  if (environments.size === 0) return undefined
  const values = environments.get('registry') ?? environments.get('local') ?? new Map<string, Value>()
  environments.delete('registry')
  return { values, environments, notes: noteOf(path, ignored) }
}

/**
 * Reads a `config.yaml`: `host` and `port` below `Registry`. That is where the registry is, and where the registry of that
 * system listens. Undefined where it names no registry.
 * @throws UsageError for a port that is none.
 */
export function readOlderYaml(content: unknown, path: string): ParsedFile | undefined {
  const all = isRecord(content) ? content : {}
  const section = all['Registry']
  if (!isRecord(section)) return undefined
  const keys = new Map(keysOf(section))
  const place = placeOf(keys, `${path}: Registry`)
  if (place === undefined) return undefined
  const values = new Map<string, Value>([
    ['registry', target('tcp', place)],
    ['registryServer.listen', place.host],
    ['registryServer.port', place.port],
  ])
  const ignored = [...Object.keys(all).filter((key) => key !== 'Registry'), ...strangers(keys, 'Registry')]
  return { values, environments: new Map(), notes: noteOf(path, ignored) }
}

type Values = ReadonlyMap<string, Value>
type Keys = ReadonlyMap<string, string>

interface HostPort {
  readonly host: string
  readonly port: number
}

const fullKeys = ['registry_host', 'registry_port']
const shortKeys = ['host', 'port']

// Elsewhere `host` and `port` may be anybody's: a database's, the server's own.
function isShort(section: string, key: string): boolean {
  return /^(registry|local|docker)$/i.test(section) && shortKeys.includes(key)
}

function placeOf(keys: Keys, where: string): HostPort | undefined {
  const port = keys.get('registry_port') ?? keys.get('port')
  if (port === undefined) return undefined
  return {
    host: keys.get('registry_host') ?? keys.get('host') ?? '127.0.0.1',
    port: readText('port', port, `${where}: the port`) as number,
  }
}

// Of a registry of ours in their registry's place both are faces, so these targets are right whichever runs there.
function target(transport: 'http' | 'tcp', { host, port }: HostPort): Value {
  return [`lab-registry+${transport}://${formatHostPort(host, port)}`]
}

/**
 * The keys of a section in small letters. Like Python's configparser it takes `key: value` too, which comes here as a key
 * without a value. The ini library makes sections of `[docker.registry]`, whose keys become `registry_…` of `docker`.
 */
function keysOf(section: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(section).flatMap(([name, value]): [string, string][] => {
    if (isRecord(value)) return keysOf(value).map(([key, text]) => [`${name.toLowerCase()}_${key}`, text])
    const colon = value === true ? name.indexOf(':') : -1
    if (colon !== -1) return [[name.slice(0, colon).trim().toLowerCase(), name.slice(colon + 1).trim()]]
    return [[name.toLowerCase(), String(value)]]
  })
}

function strangers(keys: Keys, section: string): string[] {
  const ours = [...fullKeys, ...shortKeys]
  return [...keys.keys()].filter((key) => !ours.includes(key)).map((key) => `${section}.${key}`)
}

function noteOf(path: string, ignored: readonly string[]): readonly string[] {
  return ignored.length === 0 ? [] : [`${path}: left alone, for it is not Farcall's: ${ignored.join(', ')}`]
}
