import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { destination } from 'pino'
import { RpcError } from '../core/error.ts'

/** A file that log lines are appended to. */
export interface LogFile {
  write(line: string): void
  reopen(): void
  /** Resolves when all lines are in the file. Harmless if repeated. */
  close(): Promise<void>
}

/**
 * Opens it, with the directories that it needs. Lines are handed to the system as soon as it takes them, so that a
 * process that is killed loses next to none.
 * @param report Is told once in a while when lines cannot be written any more; nothing else happens then.
 * @throws RpcError `invalid_argument` that says why it cannot be written.
 */
export function openLogFile(path: string, report: (message: string) => void): LogFile {
  try {
    // Opened once at first, so that a mistake is an error here and not later, in the middle of something.
    mkdirSync(dirname(path), { recursive: true })
    closeSync(openSync(path, 'a'))
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown)
    throw new RpcError(
      'invalid_argument',
      `cannot write the log file '${path}': ${why}; choose another file`,
      { cause: thrown },
    )
  }
  const file = destination({ dest: path, sync: false, mkdir: true })
  let failed = false
  let closed: Promise<void> | undefined
  file.on('error', (error: Error) => {
    if (!failed) report(`cannot write the log file '${path}' any more: ${error.message}`)
    failed = true
  })
  file.on('drain', () => {
    failed = false
  })
  return {
    write(line) {
      if (closed === undefined) file.write(line)
    },
    reopen() {
      if (closed === undefined) file.reopen()
    },
    close() {
      closed ??= new Promise((resolve) => {
        file.once('close', () => resolve())
        // A file that fails has nothing to wait for.
        file.once('error', () => resolve())
        file.end()
      })
      return closed
    },
  }
}
