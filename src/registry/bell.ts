import type { Cancel, Clock } from '../core/clock.ts'

/**
 * Wakes everybody who waits for a change. Rings after the turn in which something changed, and at most once in
 * `quietMs`: what happens in between is told together, so that a fleet that starts at once does not cost its square.
 */
export class Bell {
  readonly #clock: Clock
  readonly #quietMs: number
  readonly #waiting = new Set<() => void>()
  #rangAt = Number.NEGATIVE_INFINITY
  #due = false
  #cancel: Cancel | undefined

  constructor(clock: Clock, quietMs: number) {
    this.#clock = clock
    this.#quietMs = quietMs
  }

  /** Calls `fn` at every ring until it is taken back. */
  add(fn: () => void): void {
    this.#waiting.add(fn)
  }

  remove(fn: () => void): void {
    this.#waiting.delete(fn)
  }

  /** Something changed. */
  ring(): void {
    if (this.#due || this.#waiting.size === 0) return
    this.#due = true
    const waitMs = this.#rangAt + this.#quietMs - this.#clock.now()
    if (waitMs > 0) this.#cancel = this.#clock.afterInBackground(waitMs, () => this.#wake())
    else this.#clock.defer(() => this.#wake())
  }

  close(): void {
    this.#cancel?.()
    this.#waiting.clear()
  }

  #wake(): void {
    this.#due = false
    this.#rangAt = this.#clock.now()
    for (const fn of this.#waiting) fn()
  }
}
