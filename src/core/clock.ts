import { DeadlineWheel } from './wheel.ts'

/** Stops a timer; harmless when it has fired or was stopped before. */
export type Cancel = () => void

/**
 * All the time there is: nothing in Farcall asks the machine for it otherwise, so a test can put its own in
 * (`farcall/testing` has one). Milliseconds everywhere; the zero point means nothing, and it never runs backwards.
 */
export interface Clock {
  /** The time now. */
  now(): number
  /**
   * The time that was last read, by `now()` or when the last chunk of bytes arrived: good enough for a latency, and
   * 40 ns cheaper a call than asking. Never use it for a deadline: a handler may have blocked the loop since.
   */
  recent(): number
  /** Runs `fn` once after at least `ms`. */
  after(ms: number, fn: () => void): Cancel
  /** The same for housekeeping: such a timer does not keep the process alive. */
  afterInBackground(ms: number, fn: () => void): Cancel
  /** Runs `fn` when the current turn, with all its promise reactions, is over. */
  defer(fn: () => void): void
  /** Runs `fn` in a later turn, after the input and output that is waiting: for work that is done in portions. */
  nextTurn(fn: () => void): void
  /** The deadlines of all calls. */
  readonly deadlines: DeadlineWheel
}

/** What a clock is made of; {@link createClock} adds the wheel. */
export type TimeSource = Omit<Clock, 'deadlines' | 'recent'>

export function createClock(source: TimeSource): Clock {
  // A field keeps a fraction in place, where a variable would get a new object for each that is assigned to it.
  const read = { last: source.now() }
  const now = () => (read.last = source.now())
  return { ...source, now, recent: () => read.last, deadlines: new DeadlineWheel({ ...source, now }) }
}

/** Resolves after `ms`, or rejects with the signal's reason. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const stop = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    signal?.addEventListener('abort', stop, { once: true })
  })
}
