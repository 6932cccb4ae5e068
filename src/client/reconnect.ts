import { type Backoff, backoffMs } from '../core/backoff.ts'
import type { Cancel, Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'

/** When to connect again: after failures with growing, jittered waits; after a loss in a moment. */
export class Reconnect {
  readonly #clock: Clock
  readonly #random: Random
  readonly #backoff: Backoff
  #failures = 0
  #youngDrains = 0
  #retryAt = 0
  #wait: Cancel | undefined
  #soon: Cancel | undefined

  constructor(backoff: Backoff, room: { readonly clock: Clock; readonly random: Random }) {
    this.#backoff = backoff
    this.#clock = room.clock
    this.#random = room.random
  }

  /** Whether it is too early to try again. */
  get waiting(): boolean {
    return this.#wait !== undefined
  }

  /** How long it is until the next attempt. */
  get remainingMs(): number {
    return Math.max(0, this.#retryAt - this.#clock.now())
  }

  /** Calls `retry` after a wait that grows with each failure in a row; returns how long it will be. */
  afterFailure(retry: () => void): number {
    const ms = backoffMs(this.#backoff, ++this.#failures, this.#random)
    this.#retryAt = this.#clock.now() + ms
    this.#wait = this.#clock.afterInBackground(ms, () => {
      this.#wait = undefined
      retry()
    })
    return ms
  }

  /** Calls `replace` in a moment: not all the clients of a lost server at once. */
  soon(replace: () => void): void {
    this.#soon ??= this.#clock.afterInBackground(this.#random() * this.#backoff.baseMs, () => {
      this.#soon = undefined
      replace()
    })
  }

  /** There is an attempt now: no need for the one that was to come in a moment. */
  trying(): void {
    this.#soon?.()
    this.#soon = undefined
  }

  /** The endpoint was reached. */
  reached(): void {
    this.#wait?.()
    this.#wait = undefined
  }

  /**
   * A connection was drained soon after it was made. The first time its server may be about to stop; true where it was
   * not the first in a row: to dial again at once would never end.
   */
  drainedAgain(): boolean {
    return this.#youngDrains++ > 0
  }

  /** A connection lasted: earlier failures no longer count. */
  forget(): void {
    this.#failures = 0
    this.#youngDrains = 0
  }

  /** Stops all timers. */
  stop(): void {
    this.trying()
    this.reached()
  }
}
