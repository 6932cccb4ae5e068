import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse, YAMLParseError } from 'yaml'
import { nearest } from '../../core/nearest.ts'
import { importModule } from '../load/import-module.ts'
import { UsageError } from '../usage-error.ts'
import { readValue, type Value } from './read.ts'
import { type Setting, settings } from './table.ts'

const names = ['farcall.yaml', 'farcall.yml', 'farcall.config.ts', 'farcall.config.js']

/** A configuration file: what it sets, by key (`serve.zone`). */
export interface ConfigFile {
  readonly path: string
  readonly values: ReadonlyMap<string, Value>
}

/**
 * The configuration file that counts: the one that is named, else the first found from a folder upwards.
 * @throws UsageError for a named file that is not there, two in one folder, and what is wrong inside.
 */
export async function loadConfigFile(
  named: string | undefined,
  folder: string,
): Promise<ConfigFile | undefined> {
  const path = named === undefined ? find(folder) : resolve(folder, named)
  if (path === undefined) return undefined
  if (!existsSync(path)) throw new UsageError(`there is no configuration file ${path}`)
  const content = /\.ya?ml$/.test(path) ? readYaml(path) : await readModule(path)
  return { path, values: readSettings(content, path) }
}

function find(folder: string): string | undefined {
  const found = names.map((name) => join(folder, name)).filter((path) => existsSync(path))
  if (found.length > 1) {
    throw new UsageError(
      `there are ${found.length} configuration files: ${found.join(', ')}`,
      'keep one, or name it with --config',
    )
  }
  const above = dirname(folder)
  return found[0] ?? (above === folder ? undefined : find(above))
}

function readYaml(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch (thrown) {
    const why = thrown instanceof YAMLParseError ? thrown.message.split('\n')[0] : String(thrown)
    throw new UsageError(`${path} is no valid YAML: ${why?.replace(/:$/, '')}`)
  }
}

async function readModule(path: string): Promise<unknown> {
  const module = await importModule(path)
  if (module['default'] !== undefined) return module['default']
  throw new UsageError(
    `${path} has no default export`,
    'write: export default { registry: "registry://127.0.0.1:9999" }',
  )
}

function readSettings(content: unknown, path: string): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>()
  if (content === null || content === undefined) return values
  const all: readonly Setting[] = settings
  for (const [key, value] of flatten(content, path)) {
    const setting = all.find((one) => one.key === key)
    if (setting === undefined) throw unknownKey(key, path)
    const read = readValue(setting.kind, value, `${path}: ${key}`)
    // What a file says of files is meant from where it stands.
    const isPath = key === 'logFile' && typeof read === 'string'
    values.set(key, isPath ? resolve(dirname(path), read) : read)
  }
  return values
}

const sections = new Set(
  settings.filter(({ key }) => key.includes('.')).map(({ key }) => key.slice(0, key.indexOf('.'))),
)

function flatten(content: unknown, path: string): [string, unknown][] {
  return entries(content, path).flatMap(([key, value]) =>
    sections.has(key)
      ? entries(value, `${path}: ${key}`).map(([name, one]): [string, unknown] => [`${key}.${name}`, one])
      : [[key, value] as [string, unknown]],
  )
}

function entries(content: unknown, where: string): [string, unknown][] {
  if (typeof content === 'object' && content !== null && !Array.isArray(content))
    return Object.entries(content)
  throw new UsageError(`${where} should hold keys and values`)
}

function unknownKey(key: string, path: string): UsageError {
  const known = [...settings.map((setting) => setting.key), ...sections]
  const [near] = nearest(key, known)
  // `zone` at the top is meant for a section.
  const inside = known.filter((one) => one.endsWith(`.${key}`))
  const hint = near ?? (inside.length > 0 ? inside.join(' or ') : undefined)
  return new UsageError(
    `${path}: unknown key '${key}'${hint === undefined ? '' : `; did you mean ${hint}?`}`,
    `known keys: ${settings.map((setting) => setting.key).join(', ')}`,
  )
}
