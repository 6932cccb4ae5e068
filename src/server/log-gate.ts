import type { Clock } from '../core/clock.ts'

/**
 * Keeps strangers from filling the log: lets `most` lines through in each window, and says with the next one how many
 * were left out.
 */
export class LogGate {
  readonly #clock: Clock
  readonly #most: number
  readonly #windowMs: number
  #opened = Number.NEGATIVE_INFINITY
  #passed = 0
  #leftOut = 0

  /** Ten lines in ten seconds by default: enough to see what is going on, at any rate of trouble. */
  constructor(clock: Clock, most = 10, windowMs = 10_000) {
    this.#clock = clock
    this.#most = most
    this.#windowMs = windowMs
  }

  /** Calls `write` with how many lines were left out before it, unless there have been too many of late. */
  pass(write: (leftOut: { readonly leftOut?: number }) => void): void {
    const now = this.#clock.now()
    if (now - this.#opened >= this.#windowMs) {
      this.#opened = now
      this.#passed = 0
    }
    if (this.#passed >= this.#most) {
      this.#leftOut++
      return
    }
    this.#passed++
    const leftOut = this.#leftOut
    this.#leftOut = 0
    write(leftOut === 0 ? {} : { leftOut })
  }
}
