import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { nearest } from '../../core/nearest.ts'
import { importModule } from '../load/import-module.ts'
import { UsageError } from '../usage-error.ts'
import { findOlder, findOurs } from './find-file.ts'
import { readOlderIni, readOlderYaml } from './older-files.ts'
import { readOurs } from './our-file.ts'
import type { ParsedFile } from './parsed-file.ts'
import type { Value } from './read.ts'

/** The configuration file that counts, in the environment that was chosen. */
export interface ConfigFile {
  /** Undefined where there is none. */
  readonly path: string | undefined
  /** What it sets, and where that stands: the path, and the environment. */
  readonly values: ReadonlyMap<string, { readonly value: Value; readonly origin: string }>
  /** Worth a line for who wonders why something is not set. */
  readonly notes: readonly string[]
}

/** Which file, and what of it. */
export interface FileChoice {
  /** The file that was named. Undefined: the first of ours from the folder upwards, else that of an older system. */
  readonly named: string | undefined
  readonly folder: string
  /** The environment whose settings count before the file's own. */
  readonly environment: string | undefined
}

/**
 * Reads the configuration file that counts.
 * @throws UsageError for a named file that is not there, two in one folder, an environment that it has not, and what is
 * wrong inside.
 */
export async function loadConfigFile({ named, folder, environment }: FileChoice): Promise<ConfigFile> {
  const path = named === undefined ? findOurs(folder) : resolve(folder, named)
  if (path !== undefined) {
    if (!existsSync(path)) throw new UsageError(`there is no configuration file ${path}`)
    return inEnvironment(path, await readNamed(path), environment)
  }
  const notes: string[] = []
  for (const older of findOlder(folder)) {
    const parsed = await readFound(older, notes)
    if (parsed !== undefined)
      return inEnvironment(older, { ...parsed, notes: [...notes, ...parsed.notes] }, environment)
  }
  if (environment !== undefined) {
    throw new UsageError(
      `there is no environment '${environment}': no configuration file was found from ${folder} upwards`,
      'environments are sections of farcall.yaml, below environments:',
    )
  }
  return { path: undefined, values: new Map(), notes }
}

async function readNamed(path: string): Promise<ParsedFile> {
  if (path.endsWith('.ini')) {
    const parsed = readOlderIni(readFileSync(path, 'utf8'), path)
    if (parsed !== undefined) return parsed
    throw new UsageError(
      `${path} names no registry`,
      'it should have a section [registry] with host and port, or [local], [docker] with registry_host and registry_port',
    )
  }
  if (!/\.ya?ml$/.test(path)) return readOurs(await readModule(path), path)
  const content = await readYaml(path)
  return readOlderYaml(content, path) ?? readOurs(content, path)
}

/** A file that was not named may be somebody else's altogether: whatever is wrong with it is only noted. */
async function readFound(path: string, notes: string[]): Promise<ParsedFile | undefined> {
  try {
    const parsed = path.endsWith('.ini')
      ? readOlderIni(readFileSync(path, 'utf8'), path)
      : readOlderYaml(await readYaml(path), path)
    if (parsed === undefined) notes.push(`${path} is passed over: it names no registry`)
    return parsed
  } catch (thrown) {
    notes.push(`${path} is passed over: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
    return undefined
  }
}

function inEnvironment(path: string, parsed: ParsedFile, environment: string | undefined): ConfigFile {
  const { values, environments, notes } = parsed
  const own = [...values].map(([key, value]) => [key, { value, origin: path }] as const)
  if (environment === undefined) return { path, values: new Map(own), notes }
  const chosen = environments.get(environment)
  if (chosen === undefined) throw unknownEnvironment(environment, path, [...environments.keys()])
  const origin = `${path} (${environment})`
  const over = [...chosen].map(([key, value]) => [key, { value, origin }] as const)
  return { path, values: new Map([...own, ...over]), notes }
}

function unknownEnvironment(name: string, path: string, known: readonly string[]): UsageError {
  if (known.length === 0) {
    const how = path.endsWith('.ini')
      ? `a section [${name}] with registry_host and registry_port`
      : `environments: { ${name}: { registry: "registry://127.0.0.1:9999" } }`
    return new UsageError(`there is no environment '${name}': ${path} has none`, `give it ${how}`)
  }
  const [near] = nearest(name, known)
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return new UsageError(
    `there is no environment '${name}' in ${path}${hint}`,
    `there are: ${known.join(', ')}`,
  )
}

// Loaded where there is such a file: mostly there is none, and the parser is among what takes longest to load.
async function readYaml(path: string): Promise<unknown> {
  const { parse, YAMLParseError } = await import('yaml')
  try {
    // Tags of other programs are their affair.
    return parse(readFileSync(path, 'utf8'), { logLevel: 'error' })
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
