import { dirname, resolve } from 'node:path'
import { nearest } from '../../core/nearest.ts'
import { UsageError } from '../usage-error.ts'
import type { ParsedFile } from './parsed-file.ts'
import { isRecord, readValue, type Value } from './read.ts'
import { type Setting, settings } from './table.ts'

const all: readonly Setting[] = settings
const sections = new Set(
  all.filter(({ key }) => key.includes('.')).map(({ key }) => key.slice(0, key.indexOf('.'))),
)
const environmentsKey = 'environments'

/**
 * Reads what a `farcall.yaml` or `farcall.config.ts` holds. Every environment is checked, also those that are not chosen.
 * @throws UsageError for an unknown key, with the nearest that is known, and for a value that makes no sense.
 */
export function readOurs(content: unknown, path: string): ParsedFile {
  const top = content === null || content === undefined ? [] : entries(content, path)
  const environments = top
    .filter(([key]) => key === environmentsKey)
    .flatMap(([, value]) => entries(value, `${path}: ${environmentsKey}`))
    .map(([name, value]) => [name, readSettings(entriesOf(value, name, path), path, name)] as const)
  const own = top.filter(([key]) => key !== environmentsKey)
  return { values: readSettings(own, path), environments: new Map(environments), notes: [] }
}

// An environment that only has a name is as the file itself.
function entriesOf(value: unknown, name: string, path: string): [string, unknown][] {
  return value === null ? [] : entries(value, `${path}: ${environmentsKey}.${name}`)
}

function readSettings(
  top: readonly [string, unknown][],
  path: string,
  environment?: string,
): ReadonlyMap<string, Value> {
  const where = environment === undefined ? path : `${path}: ${environmentsKey}.${environment}`
  const values = new Map<string, Value>()
  for (const [key, value] of flatten(top, where)) {
    const setting = all.find((one) => one.key === key)
    if (setting === undefined) throw unknownKey(key, where)
    const read = readValue(setting.kind, value, `${where}: ${key}`)
    // What a file says of files is meant from where it stands.
    const isPath = key === 'logFile' && typeof read === 'string'
    values.set(key, isPath ? resolve(dirname(path), read) : read)
  }
  return values
}

function flatten(top: readonly [string, unknown][], where: string): [string, unknown][] {
  return top.flatMap(([key, value]) =>
    sections.has(key)
      ? entries(value, `${where}: ${key}`).map(([name, one]): [string, unknown] => [`${key}.${name}`, one])
      : [[key, value] as [string, unknown]],
  )
}

function entries(content: unknown, where: string): [string, unknown][] {
  if (isRecord(content)) return Object.entries(content)
  throw new UsageError(`${where} should hold keys and values`)
}

function unknownKey(key: string, where: string): UsageError {
  const known = [...all.map((setting) => setting.key), ...sections, environmentsKey]
  const [near] = nearest(key, known)
  // `zone` at the top is meant for a section.
  const inside = known.filter((one) => one.endsWith(`.${key}`))
  const hint = near ?? (inside.length > 0 ? inside.join(' or ') : undefined)
  return new UsageError(
    `${where}: unknown key '${key}'${hint === undefined ? '' : `; did you mean ${hint}?`}`,
    `known keys: ${all.map((setting) => setting.key).join(', ')}, ${environmentsKey}`,
  )
}
