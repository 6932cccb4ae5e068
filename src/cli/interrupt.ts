import { exitCodes } from './exit-codes.ts'

/** A command that asks and ends, and can be interrupted meanwhile. */
export interface Interruptible extends AsyncDisposable {
  readonly signal: AbortSignal
  /** The exit code, once a signal has come. */
  readonly code: number | undefined
}

/** Turns the first SIGINT or SIGTERM into an abort; a second one ends the process at once. */
export function interruptible(): Interruptible {
  const abort = new AbortController()
  let code: number | undefined
  const stop = (with_: number) => () => {
    if (code !== undefined) process.exit(with_)
    code = with_
    abort.abort(new DOMException('interrupted', 'AbortError'))
  }
  const onInterrupt = stop(exitCodes.interrupted)
  const onTerminate = stop(exitCodes.terminated)
  process.on('SIGINT', onInterrupt)
  process.on('SIGTERM', onTerminate)
  return {
    signal: abort.signal,
    get code() {
      return code
    },
    async [Symbol.asyncDispose]() {
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', onTerminate)
    },
  }
}
