import type { Logger, LogLevel } from '../core/log.ts'

/** The same logger, which never throws: a full disk or a bad field must not end a connection. */
export function guardLogger(logger: Logger): Logger {
  const guard =
    (level: LogLevel) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      try {
        logger[level](fields, message)
      } catch {
        // There is nowhere left to say it.
      }
    }
  return {
    trace: guard('trace'),
    debug: guard('debug'),
    info: guard('info'),
    warn: guard('warn'),
    error: guard('error'),
    isLevelEnabled: (level) => logger.isLevelEnabled?.(level) ?? true,
  }
}
