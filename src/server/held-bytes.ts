import type { Cancel, Clock } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'
import type { Limits } from '../core/limits.ts'

/** A connection, as far as it holds memory. */
export interface Holder {
  /** Bytes that are kept for it now. */
  readonly held: number
  /** The same when it was last looked at. */
  heldLast: number
  /** What of that it held the time before, too. */
  heldLong: number
  /** Whether it may hold something, and so is looked at; kept by {@link HeldBytes}. */
  mayHold: boolean
  /** Calls that it has not answered, for each of which it may begin to hold something. */
  readonly inFlight: number
  hangUp(reason: RpcError): void
}

// A fast network brings some hundred MB in this time.
const everyMs = 250
// How much is left when some have been closed.
const leftShare = 0.75
// What one connection can hold at most: what waits to be sent, and in our protocol four messages in parts and four more.
const messagesHeld = 8

/**
 * Bounds what all connections together hold: each is within its own limits, but thousands of half messages would still
 * fill the memory. Who holds much for long is closed first: a message that goes on is soon complete.
 *
 * A connection that holds nothing and owes no answer holds nothing until more bytes come on it, so it is not looked at
 * until then: looking at all of 10,000 idle ones, a handful of cold objects each, took 2 ms, four times a second.
 */
export class HeldBytes {
  readonly #clock: Clock
  readonly #most: number
  readonly #each: number
  /** Those that may hold something. */
  readonly #holders = new Set<Holder>()
  #cancel: Cancel | undefined = undefined

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock
    this.#most = limits.maxHeldBytes
    this.#each = limits.maxUnsentBytes + messagesHeld * limits.maxMessageBytes
  }

  /** Bytes have come on it: it is looked at from now on. */
  watch(holder: Holder): void {
    holder.mayHold = true
    this.#holders.add(holder)
    this.#arm()
  }

  /** It is gone. */
  forget(holder: Holder): void {
    this.#holders.delete(holder)
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** Looks again later, if they are enough to hold too much. */
  #arm(): void {
    if (this.#cancel !== undefined || this.#holders.size * this.#each <= this.#most) return
    this.#cancel = this.#clock.afterInBackground(everyMs, () => {
      this.#cancel = undefined
      this.#look()
      this.#arm()
    })
  }

  #look(): void {
    let total = 0
    for (const holder of this.#holders) {
      const { held } = holder
      holder.heldLong = Math.min(held, holder.heldLast)
      holder.heldLast = held
      total += held
      if (held > 0 || holder.inFlight > 0) continue
      holder.mayHold = false
      this.#holders.delete(holder)
    }
    if (total <= this.#most) return
    const most = [...this.#holders].sort((a, b) => b.heldLong - a.heldLong || b.heldLast - a.heldLast)
    for (const holder of most) {
      if (total <= this.#most * leftShare) return
      total -= holder.heldLast
      holder.hangUp(tooMuch(holder.heldLast, this.#most))
    }
  }
}

function tooMuch(held: number, most: number): RpcError {
  return new RpcError(
    'resource_exhausted',
    `all connections together held more than ${most} bytes (limits.maxHeldBytes), and this one ${held} of them`,
  )
}
