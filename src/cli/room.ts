import { createLogger } from '../logging/pino.node.ts'
import type { LogLevel } from '../node.ts'
import type { Asked } from './next-step.ts'
import { type ResolvedSettings, resolveSettings, type Sources } from './settings/resolve.ts'
import type { CommandName } from './settings/table.ts'
import { levelOf, textOf } from './settings/typed.ts'
import { fromUser } from './usage-error.ts'

/** What a command finds around it. */
export interface CommandRoom {
  readonly settings: ResolvedSettings
  /** Where they come from. */
  readonly sources: Sources
  /** For programs rather than people. */
  readonly json: boolean
  readonly logger: ReturnType<typeof createLogger>
  /** What the command is about, for the advice beside an error; it fills it in as it finds out. */
  readonly asked: { -readonly [Key in keyof Asked]: Asked[Key] }
}

/** What was typed behind a command. */
export interface Typed {
  readonly sources: Sources
  readonly json: boolean
}

/**
 * Resolves the settings of a command and opens its log.
 * @param quiet The level at which it logs where nothing is set.
 * @throws UsageError for a wrong setting, or a log file that cannot be written.
 */
export async function enter(command: CommandName, typed: Typed, quiet: LogLevel): Promise<CommandRoom> {
  const settings = await resolveSettings(command, typed.sources)
  const options = { level: levelOf(settings) ?? quiet, file: textOf(settings, 'logFile') }
  const logger = fromUser(() => createLogger(options))
  for (const note of settings.notes) logger.debug({ event: 'settings' }, note)
  return { settings, sources: typed.sources, json: typed.json, logger, asked: {} }
}
