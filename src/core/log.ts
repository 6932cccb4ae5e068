export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/**
 * What Farcall asks of a logger. The order of the arguments is pino's, so a pino logger is one as it stands; console
 * methods can be wrapped in a line.
 */
export type Logger = Readonly<
  Record<LogLevel, (fields: Readonly<Record<string, unknown>>, message: string) => void>
> & {
  /** Whether a level is written at all, so that nothing is prepared in vain. */
  isLevelEnabled?(level: LogLevel): boolean
}

const nothing = () => {}

/** Writes nothing. */
export const silentLogger: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  isLevelEnabled: () => false,
}
