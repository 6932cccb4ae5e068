import type { Cancel, Clock } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'
import type { Limits } from '../core/limits.ts'

/** A connection, as far as it holds memory. */
export interface Holder {
  /** Bytes that are kept for it now. */
  readonly held: number
  /** The same when it was last looked at. */
  heldBefore: number
  hangUp(reason: RpcError): void
}

// A fast network brings some hundred MB in this time; looking costs a microsecond for ten connections.
const everyMs = 250
// How much is left when some have been closed.
const leftShare = 0.75
// What one connection can hold at most: what waits to be sent, and in our protocol four messages in parts and four more.
const messagesHeld = 8

/**
 * Bounds what all connections together hold: each is within its own limits, but thousands of half messages would still
 * fill the memory. Who holds much for long is closed first: a message that goes on is soon complete.
 */
export class HeldBytes {
  readonly #clock: Clock
  readonly #most: number
  readonly #each: number
  readonly #holders: ReadonlySet<Holder>
  #cancel: Cancel | undefined = undefined

  constructor(clock: Clock, limits: Limits, holders: ReadonlySet<Holder>) {
    this.#clock = clock
    this.#most = limits.maxHeldBytes
    this.#each = limits.maxUnsentBytes + messagesHeld * limits.maxMessageBytes
    this.#holders = holders
  }

  /** A connection has come: looks from now on at all of them, if they are enough to hold too much. */
  watch(): void {
    if (this.#cancel !== undefined || this.#holders.size * this.#each <= this.#most) return
    this.#cancel = this.#clock.afterInBackground(everyMs, () => {
      this.#cancel = undefined
      this.#look()
      this.watch()
    })
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #look(): void {
    const found = [...this.#holders].map((holder) => {
      const { held, heldBefore } = holder
      holder.heldBefore = held
      return { holder, held, lasting: Math.min(held, heldBefore) }
    })
    let total = found.reduce((sum, { held }) => sum + held, 0)
    if (total <= this.#most) return
    found.sort((a, b) => b.lasting - a.lasting || b.held - a.held)
    for (const { holder, held } of found) {
      if (total <= this.#most * leftShare) return
      total -= held
      holder.hangUp(tooMuch(held, this.#most))
    }
  }
}

function tooMuch(held: number, most: number): RpcError {
  return new RpcError(
    'resource_exhausted',
    `all connections together held more than ${most} bytes (limits.maxHeldBytes), and this one ${held} of them`,
  )
}
