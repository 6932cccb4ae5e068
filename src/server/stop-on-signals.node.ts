/** What can be stopped: a server, a client, a logger. */
export interface Closable {
  close(options?: { readonly graceMs?: number }): Promise<unknown>
}

export interface StopOptions {
  /** Given to each `close`. Default: what each takes by itself. */
  readonly graceMs?: number | undefined
  /** How long the whole stop may take before the process ends with code 1. Default: `graceMs` (or 30 s) and 10 s. */
  readonly timeoutMs?: number | undefined
  /** Ends the process. Default `process.exit`. */
  readonly exit?: ((code: number) => void) | undefined
  /** Where the signals come from. Default `process`. */
  readonly signals?: SignalSource | undefined
}

/** The part of `process` that gives signals. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
}

// npm passes Ctrl-C on to a process that the terminal has already told: those are one, not two.
const sameKeyMs = 300
const codes = { SIGINT: 130, SIGTERM: 143 } as const

/**
 * On SIGINT or SIGTERM closes everything, in the given order, and ends the process: with code 0 when all went well, 1 if
 * something failed or took too long. A second signal ends it at once, with 130 or 143 as the shell would say.
 * @returns what takes the listeners away again.
 */
export function stopOnSignals(closables: readonly Closable[], options: StopOptions = {}): () => void {
  const { exit = (code) => process.exit(code), signals = process, graceMs } = options
  const timeoutMs = options.timeoutMs ?? (graceMs ?? 30_000) + 10_000
  let stoppedAt: number | undefined
  const closeAll = async (): Promise<void> => {
    let failed = false
    // It keeps the process alive: one that hangs with nothing left to do must not end as if all were well.
    const late = setTimeout(() => exit(1), timeoutMs)
    for (const closable of closables) {
      // One that fails does not keep the others open.
      await closable.close(graceMs === undefined ? {} : { graceMs }).catch(() => (failed = true))
    }
    clearTimeout(late)
    exit(failed ? 1 : 0)
  }
  const onSignal = (signal: keyof typeof codes) => () => {
    const now = performance.now()
    if (stoppedAt !== undefined) {
      if (now - stoppedAt > sameKeyMs) exit(codes[signal])
      return
    }
    stoppedAt = now
    closeAll().catch(() => exit(1))
  }
  const onInterrupt = onSignal('SIGINT')
  const onTerminate = onSignal('SIGTERM')
  signals.on('SIGINT', onInterrupt)
  signals.on('SIGTERM', onTerminate)
  return () => {
    signals.off('SIGINT', onInterrupt)
    signals.off('SIGTERM', onTerminate)
  }
}
