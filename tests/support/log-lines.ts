import type { Logger } from 'farcall'
import { createRecordingLogger } from '../../src/testing/recording-logger.ts'

/** A logger that can be waited for. */
export interface LogLines {
  readonly logger: Logger
  readonly lines: readonly string[]
  /** Resolves with the next line that matches, of those that are to come. */
  next(pattern: RegExp): Promise<string>
}

/** Makes one; a line is `level: message`. */
export function createLogLines(): LogLines {
  const lines: string[] = []
  const waiting = new Set<{ pattern: RegExp; resolve(line: string): void }>()
  const logger = createRecordingLogger(({ level, message }) => {
    const line = `${level}: ${message}`
    lines.push(line)
    for (const one of waiting) {
      if (!one.pattern.test(line)) continue
      waiting.delete(one)
      one.resolve(line)
    }
  })
  const next = (pattern: RegExp) => new Promise<string>((resolve) => waiting.add({ pattern, resolve }))
  return { logger, lines, next }
}
