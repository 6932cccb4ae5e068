import type { Cancel, Clock } from '../core/clock.ts'

/** The time that is left for an orderly end. It can be shortened, never lengthened. */
export class Grace {
  /** Resolves when it is over. */
  readonly over: Promise<false>
  readonly #clock: Clock
  readonly #end: () => void
  #until = Number.POSITIVE_INFINITY
  #cancel: Cancel = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
    const { promise, resolve } = Promise.withResolvers<false>()
    this.over = promise
    this.#end = () => resolve(false)
  }

  get leftMs(): number {
    return Math.max(0, this.#until - this.#clock.now())
  }

  /** At most `ms` from now. */
  shorten(ms: number): void {
    const until = this.#clock.now() + ms
    if (until >= this.#until) return
    this.#until = until
    this.#cancel()
    if (ms <= 0) this.#end()
    else this.#cancel = this.#clock.after(ms, this.#end)
  }

  /** Stops its timer; what waits for `over` waits in vain. */
  stop(): void {
    this.#cancel()
  }
}
