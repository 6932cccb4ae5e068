/** How many retries there may be, beside the calls themselves. */
export interface RetryBudgetOptions {
  /** Retries per call, on average. Default 0.2: when everything fails, load grows by a fifth and not threefold. */
  readonly share: number
  /** Retries per second that are allowed anyhow, so that clients with few calls can retry at all. Default 10. */
  readonly perSecond: number
}

// How long what was not used is kept, as in Finagle: long enough for a burst of failures, too short to pile up.
const keptMs = 10_000
// How often the balance is brought up to date by calls alone; retries always do.
const refreshMs = 1_000

/**
 * A bucket of tokens, one for each retry. Calls put in `share` each, time `perSecond`; what is in it fades within ten
 * seconds. One for all the calls of a client: retries then cannot multiply an overload, whoever causes it.
 */
export class RetryBudget {
  readonly #options: RetryBudgetOptions
  #tokens: number
  #refreshedAt: number | undefined

  constructor(options: RetryBudgetOptions) {
    this.#options = options
    this.#tokens = this.#floor
  }

  /** A call was made at that time. */
  deposit(now: number): void {
    if (this.#refreshedAt === undefined || now - this.#refreshedAt >= refreshMs) this.#refresh(now)
    this.#tokens += this.#options.share
  }

  /** Takes a token for a retry at that time; false if there is none. */
  withdraw(now: number): boolean {
    this.#refresh(now)
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** What `perSecond` alone amounts to. */
  get #floor(): number {
    return (this.#options.perSecond * keptMs) / 1_000
  }

  #refresh(now: number): void {
    const kept = Math.exp(((this.#refreshedAt ?? now) - now) / keptMs)
    this.#tokens = this.#tokens * kept + this.#floor * (1 - kept)
    this.#refreshedAt = now
  }
}
