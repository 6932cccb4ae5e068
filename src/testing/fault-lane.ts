import type { Cancel, Clock } from '../core/clock.ts'
import type { RpcError } from '../core/error.ts'
import type { Random } from '../core/random.ts'
import { DirectLane, type Lane, type LaneEnd } from '../transports/lane.ts'

/** How a network is while nothing is broken. */
export interface NetworkConditions {
  /** How long a byte is on its way. Default 0. */
  readonly latencyMs: number
  /** Up to this much longer, by chance; never out of order. Default 0. */
  readonly jitterMs: number
  /** Default: no limit. */
  readonly bytesPerMs: number
  /** How chunks are cut: not at all (the default), at chosen places, or into single bytes. */
  readonly cut: 'never' | 'anywhere' | 'everywhere'
}

/** What a lane needs of the network that it is in. */
export interface LaneRoom {
  readonly clock: Clock
  readonly random: Random
  readonly conditions: () => NetworkConditions
  /** Whether nothing gets through now. What is sent then arrives once that is over, as with TCP. */
  readonly isHeld: () => boolean
  /** Breaks the whole connection off. */
  readonly reset: () => void
}

interface Item {
  readonly what: Uint8Array | 'end' | 'close'
  readonly arrivesAt: number
}

const senderBufferBytes = 256 * 1024

/** One direction of a connection in a test network. */
export class FaultLane implements Lane {
  onDrain: () => void = () => {}
  readonly #room: LaneRoom
  readonly #direct: DirectLane
  readonly #items: Item[] = []
  #lastArrival = 0
  #waiting = 0
  #passed = 0
  #full = false
  #cutAt = Number.POSITIVE_INFINITY
  #corruptAt = -1
  #frozen = false
  #blackhole = false
  #broken = false
  #cancel: Cancel | undefined

  constructor(to: LaneEnd, room: LaneRoom) {
    this.#room = room
    const isFrozen = () => this.#frozen
    const end: LaneEnd = {
      get paused() {
        return isFrozen() || to.paused
      },
      receive: (chunk) => to.receive(chunk),
      receiveEnd: () => to.receiveEnd(),
      receiveClose: (error) => to.receiveClose(error),
    }
    this.#direct = new DirectLane(end, (fn) => room.clock.defer(fn))
    this.#direct.onDrain = () => this.#checkDrain()
  }

  /** Bytes that have arrived. */
  get passed(): number {
    return this.#passed
  }

  /** Resets the connection once this many bytes of this direction, from its beginning, have arrived. */
  cutAfter(bytes: number): void {
    this.#cutAt = bytes
    this.#cutIfDue()
  }

  /** Inverts the byte at this offset from the beginning. */
  corruptAt(offset: number): void {
    this.#corruptAt = offset
  }

  /** Nothing arrives any more, and nobody is told, until `blackhole(false)`. */
  blackhole(on = true): void {
    this.#blackhole = on
    this.wake()
  }

  /** The receiver takes nothing any more, until `freeze(false)`. */
  freeze(on = true): void {
    this.#frozen = on
    this.wake()
  }

  /** The receiver sees the end of this direction, now; what is still sent is lost. */
  endNow(): void {
    this.#stop()
    this.#direct.end()
  }

  /** The receiver sees the connection break off, now. */
  breakOff(error: RpcError): void {
    this.#stop()
    this.#direct.close(error)
  }

  get unsent(): number {
    return this.#direct.unsent + Math.max(0, this.#waiting - senderBufferBytes)
  }

  send(chunk: Uint8Array): void {
    if (this.#broken) return
    for (const piece of this.#pieces(chunk)) {
      this.#waiting += piece.length
      this.#add(piece, piece.length)
    }
    if (this.unsent > 0) this.#full = true
    this.#pump()
  }

  end(): void {
    this.#add('end', 0)
    this.#pump()
  }

  close(error?: RpcError): void {
    if (error !== undefined) return this.breakOff(error)
    this.#add('close', 0)
    this.#pump()
  }

  wake(): void {
    this.#pump()
    this.#direct.wake()
  }

  #add(what: Item['what'], length: number): void {
    if (this.#broken) return
    const { latencyMs, jitterMs, bytesPerMs } = this.#room.conditions()
    const jitter = jitterMs > 0 ? this.#room.random() * jitterMs : 0
    const soonest = this.#room.clock.now() + latencyMs + jitter
    this.#lastArrival = Math.max(this.#lastArrival, soonest) + length / bytesPerMs
    this.#items.push({ what, arrivesAt: this.#lastArrival })
  }

  #pump(): void {
    this.#cancel?.()
    this.#cancel = undefined
    for (let item = this.#items[0]; item !== undefined; item = this.#items[0]) {
      if (this.#blackhole || this.#room.isHeld()) return
      const left = item.arrivesAt - this.#room.clock.now()
      if (left > 0) {
        this.#cancel = this.#room.clock.after(left, () => this.#pump())
        return
      }
      this.#items.shift()
      this.#pass(item.what)
      if (this.#broken) return
    }
    this.#checkDrain()
  }

  #pass(what: Item['what']): void {
    if (what === 'end') return this.#direct.end()
    if (what === 'close') return this.#direct.close()
    this.#waiting -= what.length
    const corrupt = this.#corruptAt - this.#passed
    if (corrupt >= 0 && corrupt < what.length) what[corrupt] = ~(what[corrupt] as number)
    const room = this.#cutAt - this.#passed
    const passing = what.length <= room ? what : what.subarray(0, room)
    this.#passed += passing.length
    if (passing.length > 0) this.#direct.send(passing)
    this.#cutIfDue()
  }

  #cutIfDue(): void {
    if (this.#passed < this.#cutAt || this.#broken) return
    // In a later turn, so that the receiver gets what came before.
    this.#broken = true
    this.#room.clock.defer(() => this.#room.clock.defer(this.#room.reset))
  }

  #pieces(chunk: Uint8Array): Uint8Array[] {
    const { cut } = this.#room.conditions()
    if (cut === 'never') return [chunk]
    const pieces: Uint8Array[] = []
    for (let at = 0; at < chunk.length; ) {
      const left = chunk.length - at
      const length = cut === 'everywhere' ? 1 : 1 + Math.floor(this.#room.random() * left)
      pieces.push(chunk.subarray(at, at + length))
      at += length
    }
    return pieces
  }

  #checkDrain(): void {
    if (!this.#full || this.unsent > 0) return
    this.#full = false
    this.onDrain()
  }

  #stop(): void {
    this.#broken = true
    this.#cancel?.()
    this.#cancel = undefined
    this.#items.length = 0
    this.#waiting = 0
  }
}
