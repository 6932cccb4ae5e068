import type { Logger, LogLevel } from '../core/log.ts'

/** What was logged. */
export interface LogLine {
  readonly level: LogLevel
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** A logger that keeps its lines; `onLine` hears of each as it comes. */
export function createRecordingLogger(
  onLine: (line: LogLine) => void = () => {},
): Logger & { readonly lines: LogLine[]; events(): unknown[] } {
  const lines: LogLine[] = []
  const write = (level: LogLevel) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    const line = { level, fields, message }
    lines.push(line)
    onLine(line)
  }
  return {
    lines,
    events: () => lines.map(({ fields }) => fields['event']),
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  }
}
