import { nearest } from '../../core/nearest.ts'
import { UsageError } from '../usage-error.ts'
import { type ConfigFile, loadConfigFile } from './file.ts'
import { readText, readTexts, type Value } from './read.ts'
import { type CommandName, longFlag, nameOf, type Setting, settings, settingsOf } from './table.ts'

/** What a setting is, and who said so. */
export interface Resolved {
  readonly setting: Setting
  readonly value: Value | undefined
  /** For people: `flag --zone`, `environment FARCALL_ZONE`, the file's path, `default`. */
  readonly origin: string
  /** The higher, the more it counts. */
  readonly rank: 0 | 1 | 2 | 3
}

/** Where settings come from. */
export interface Sources {
  /** By the long flag's name without dashes (`log-level`): what was typed, each time. */
  readonly flags: ReadonlyMap<string, readonly string[]>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** The file that was named. Default: looked for. */
  readonly config: string | undefined
  /** The environment that was named: its settings count before those of the file it stands in. */
  readonly environment: string | undefined
}

/** The settings of a command, resolved. */
export interface ResolvedSettings {
  readonly file: string | undefined
  readonly environment: string | undefined
  /** What was passed over in looking for files, for who wonders. */
  readonly notes: readonly string[]
  readonly all: readonly Resolved[]
  readonly get: (name: string) => Resolved | undefined
}

/**
 * Resolves the settings of a command, or all of them: a flag counts before the environment, that before the file, that
 * before the default.
 * @throws UsageError for a value that makes no sense, wherever it stands, or a variable that looks misspelt.
 */
export async function resolveSettings(
  command: CommandName | undefined,
  sources: Sources,
): Promise<ResolvedSettings> {
  const { env, cwd } = sources
  checkVariables(env)
  // An empty variable is as one that is not set.
  const environment = sources.environment ?? (env['FARCALL_ENV'] || undefined)
  const named = sources.config ?? (env['FARCALL_CONFIG'] || undefined)
  const file = await loadConfigFile({ named, folder: cwd, environment })
  const wanted: readonly Setting[] = command === undefined ? settings : settingsOf(command)
  const all = wanted.map((setting) => resolveOne(setting, sources, file))
  return {
    file: file.path,
    environment,
    notes: file.notes,
    all,
    get: (name) => all.find(({ setting }) => nameOf(setting) === name),
  }
}

function resolveOne(setting: Setting, { flags, env }: Sources, file: ConfigFile): Resolved {
  const { kind, fallback } = setting
  const flag = longFlag(setting)
  const typed = flags.get(flag.slice(2))
  if (typed !== undefined && typed.length > 0) {
    return { setting, value: readTexts(kind, typed, flag), origin: `flag ${flag}`, rank: 3 }
  }
  const variable = env[setting.env]
  if (variable !== undefined && variable !== '') {
    const value = readText(kind, variable, setting.env)
    return { setting, value, origin: `environment ${setting.env}`, rank: 2 }
  }
  const written = file.values.get(setting.key)
  if (written !== undefined) return { setting, ...written, rank: 1 }
  const value = fallback === undefined ? undefined : readText(kind, fallback, flag)
  return { setting, value, origin: 'default', rank: 0 }
}

// Others may have variables that begin like ours; only what is nearly one of ours is a mistake.
function checkVariables(env: Sources['env']): void {
  const known = ['FARCALL_CONFIG', 'FARCALL_ENV', ...settings.map((setting) => setting.env as string)]
  for (const name of Object.keys(env)) {
    if (!name.startsWith('FARCALL_') || known.includes(name)) continue
    const [near] = nearest(name, known)
    if (near !== undefined)
      throw new UsageError(`unknown environment variable ${name}; did you mean ${near}?`)
  }
}
