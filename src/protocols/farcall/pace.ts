import type { Clock } from '../../core/clock.ts'

// Always allowed: what keeps a fast link busy while an answer is on its way, and delays nobody for long. (Of 256 KiB a
// small call took twice as long, and large replies were hardly more.)
const leastBytes = 128 * 1024
const mostBytes = 16 * 1024 * 1024
const bytesPerMark = 64 * 1024
// Says that a PING is a mark; those of the keepalive begin with 0.
const markByte = 1
// Less than a wake-up of the peer takes: a time below it says more of the clock than of the way.
const leastMs = 0.05
// Share of one answer in what is allowed.
const share = 0.25

interface Mark {
  /** What had been sent when it was. */
  readonly sentBytes: number
  readonly sentAt: number
  /** What was known to have arrived then. */
  readonly arrivedBytes: number
}

/**
 * How much of large messages may be on its way. The system takes megabytes of them at once, and a small message that is
 * sent after that waits behind them all. So every 64 KiB a PING goes along, and its PONG tells that what was sent before
 * it has been read. Allowed is twice what the way holds: the rate at which the peer reads times the shortest time of an
 * answer, as BBR (Cardwell and others, 2016) has it. What is read while a mark is on its way and back is what the way
 * holds, if it took no longer than the shortest; as long as less is allowed than that, it grows with each answer.
 */
export class Pace {
  readonly #clock: Clock
  readonly #ping: (payload: Uint8Array) => void
  #sent = 0
  #arrived = 0
  #marked = 0
  #allowed = leastBytes
  #shortestMs = Number.POSITIVE_INFINITY
  // Answers come in the order of the pings.
  readonly #marks: Mark[] = []

  /** `ping` sends a PING with a payload. */
  constructor(clock: Clock, ping: (payload: Uint8Array) => void) {
    this.#clock = clock
    this.#ping = ping
  }

  /** Whether more may be sent now. */
  get open(): boolean {
    return this.#sent - this.#arrived < this.#allowed
  }

  /** A part of a large message was sent. */
  sent(bytes: number): void {
    this.#sent += bytes
    if (this.#sent - this.#marked < bytesPerMark) return
    this.#marked = this.#sent
    this.#marks.push({
      sentBytes: this.#sent,
      sentAt: this.#clock.now(),
      arrivedBytes: this.#arrived,
    })
    this.#ping(Uint8Array.of(markByte))
  }

  /** A PONG with this payload has come; whether it answers a mark. */
  answered(payload: Uint8Array): boolean {
    const mark = payload[0] === markByte ? this.#marks.shift() : undefined
    if (mark === undefined) return false
    this.#arrived = mark.sentBytes
    const tookMs = Math.max(this.#clock.now() - mark.sentAt, leastMs)
    this.#shortestMs = Math.min(this.#shortestMs, tookMs)
    const held = ((this.#arrived - mark.arrivedBytes) * this.#shortestMs) / tookMs
    const wanted = Math.min(mostBytes, Math.max(leastBytes, 2 * held))
    this.#allowed += (wanted - this.#allowed) * share
    return true
  }
}
