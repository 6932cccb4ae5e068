import type { OutgoingStream } from './outgoing-stream.ts'
import { initialWindowBytes } from './frames.ts'

/**
 * How much we may send in streams: each stream for itself, and all of a connection together. What a stream has spent
 * comes back to the connection as the peer takes it, and all that is left when the stream ends, however it ends: so
 * nothing leaks, whatever was on its way. Streams that must wait are parked here.
 */
export class SendCredit {
  /** What a new stream begins with; the peer's preface says. */
  perStream = initialWindowBytes
  #connection = initialWindowBytes
  readonly #parked = new Set<OutgoingStream>()

  /** The peer's preface has come: what we assumed before is corrected. */
  learn(perStream: number, connection: number): void {
    this.perStream = perStream
    this.#connection += connection - initialWindowBytes
  }

  allows(stream: OutgoingStream): boolean {
    return stream.credit > 0 && this.#connection > 0
  }

  spend(stream: OutgoingStream, cost: number): void {
    stream.credit -= cost
    stream.spent += cost
    this.#connection -= cost
  }

  /** The peer has taken so much of a stream. */
  give(stream: OutgoingStream, amount: number): void {
    if (stream.ended) return
    stream.credit += amount
    // More than was spent cannot come back to the connection.
    const back = Math.min(amount, stream.spent)
    stream.spent -= back
    this.#giveBack(back)
    if (this.#parked.delete(stream)) stream.wake()
  }

  /** The stream has ended. */
  release(stream: OutgoingStream): void {
    this.#parked.delete(stream)
    const { spent } = stream
    stream.spent = 0
    this.#giveBack(spent)
  }

  park(stream: OutgoingStream): void {
    this.#parked.add(stream)
  }

  wakeAll(): void {
    if (this.#parked.size === 0) return
    // Those that must wait again are parked again: only who waits now is woken.
    const waiting = [...this.#parked]
    this.#parked.clear()
    for (const stream of waiting) stream.wake()
  }

  clear(): void {
    this.#parked.clear()
  }

  #giveBack(amount: number): void {
    const waited = this.#connection <= 0
    this.#connection += amount
    if (waited && this.#connection > 0) this.wakeAll()
  }
}
