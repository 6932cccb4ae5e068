import { type DestinationStream, multistream, pino, stdTimeFunctions } from 'pino'
import type { Logger, LogLevel } from '../core/log.ts'
import { openLogFile } from './file.node.ts'
import type { LogStream } from './log-stream.ts'
import { prettyLines } from './pretty.node.ts'

export interface LoggerOptions {
  /** The least level that is written. Default `info`. */
  readonly level?: LogLevel | 'silent' | undefined
  /** Also, or with `stream: null` only, as lines of JSON into this file; its directories are made. */
  readonly file?: string | undefined
  /** For people rather than programs. Default: whether the stream is a terminal. */
  readonly pretty?: boolean | undefined
  /** Default `process.stderr`, so that what a command answers on stdout stays clean. `null` for none. */
  readonly stream?: LogStream | null | undefined
  /** Goes into every line, to tell several processes apart. */
  readonly name?: string | undefined
  /** Paths of fields that are written as `[Redacted]`, such as `metadata.authorization`. */
  readonly redact?: readonly string[] | undefined
}

/** A logger, and what flushes it. */
export type FileLogger = Logger &
  AsyncDisposable & {
    /** Writes what is left into the file and closes it. Harmless if repeated. */
    close(): Promise<void>
    /** Opens the file anew, after something has moved it away. */
    reopen(): void
  }

/**
 * The logger of Farcall's command line and demo: pino, readable on a terminal, lines of JSON elsewhere.
 * @throws RpcError `invalid_argument` if the file cannot be written.
 */
export function createLogger(options: LoggerOptions = {}): FileLogger {
  const { level = 'info', stream = process.stderr, pretty = stream?.isTTY === true } = options
  const file = options.file === undefined ? undefined : openLogFile(options.file, reportOn(stream))
  // A reader that went away must not end the process that writes.
  const ignore = () => {}
  stream?.on?.('error', ignore)
  const streams: DestinationStream[] = []
  if (stream !== null)
    streams.push(pretty ? prettyLines(stream) : { write: (line) => void stream.write(line) })
  if (file !== undefined) streams.push(file)
  const lines = pino(
    {
      level,
      base: options.name === undefined ? { pid: process.pid } : { pid: process.pid, name: options.name },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      ...(options.redact !== undefined && { redact: [...options.redact] }),
    },
    multistream(streams.map((one) => ({ stream: one, level: 'trace' }))),
  )
  const close = async (): Promise<void> => {
    await file?.close()
    if (stream !== process.stderr && stream !== process.stdout) stream?.off?.('error', ignore)
  }
  return {
    trace: lines.trace.bind(lines),
    debug: lines.debug.bind(lines),
    info: lines.info.bind(lines),
    warn: lines.warn.bind(lines),
    error: lines.error.bind(lines),
    isLevelEnabled: (asked) => lines.isLevelEnabled(asked),
    reopen: () => file?.reopen(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function reportOn(stream: LogStream | null): (message: string) => void {
  return (message) => void stream?.write(`${message}\n`)
}
