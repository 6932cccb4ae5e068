import { defer } from '#platform'
import { RpcError } from '../core/error.ts'
import type { Wire } from './transport.ts'

/** The part of a wire that an inbox delivers to. */
export type Receiver = Pick<Wire, 'onData' | 'onEnd' | 'onClose' | 'close'>

/**
 * What has come for a wire and was not handed over yet: it keeps the order of bytes, end and close, and holds them
 * back while the wire is paused or bytes have been put back. An exception of a handler closes the wire with it, so
 * that no input takes the process down.
 */
export class Inbox {
  readonly #receiver: Receiver
  readonly #schedule: (fn: () => void) => void
  readonly #held: Uint8Array[] = []
  #begun = false
  #paused = false
  #delivering = false
  #scheduled = false
  #end: 'none' | 'held' | 'told' = 'none'
  #close: 'none' | 'held' | 'told' = 'none'
  #error: RpcError | undefined

  constructor(receiver: Receiver, schedule: (fn: () => void) => void = defer) {
    this.#receiver = receiver
    this.#schedule = schedule
  }

  /** Hands over from now on. Before, everything waits: the receiver may have no handlers yet. */
  begin(): void {
    this.#begun = true
    this.#deliver()
  }

  /** Nothing is handed over. */
  get paused(): boolean {
    return this.#paused
  }

  /** The peer has ended its direction, and the wire knows. */
  get ended(): boolean {
    return this.#end === 'told'
  }

  /** Bytes from the peer, borrowed: what the receiver does not take now is kept as a copy. */
  push(chunk: Uint8Array): void {
    const isBusy = !this.#begun || this.#paused || this.#delivering || this.#held.length > 0
    if (isBusy) this.#held.push(new Uint8Array(chunk))
    else if (this.#close === 'none') this.#hand(chunk)
  }

  /** The peer ends its direction. */
  end(): void {
    if (this.#end !== 'none') return
    this.#end = 'held'
    this.#deliver()
  }

  /** The connection is gone. What came before is handed over first, unless the wire is paused. */
  close(error: RpcError | undefined): void {
    if (this.#close !== 'none') return
    this.#close = 'held'
    this.#error = error
    this.#deliver()
  }

  /** Drops what is held: the wire was closed from this side. */
  clear(): void {
    this.#held.length = 0
    if (this.#end === 'none') this.#end = 'told'
  }

  /** Puts a copy of bytes in front of everything else; it comes in a later turn. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#held.unshift(new Uint8Array(bytes))
    this.#deliverLater()
  }

  /** What is held, for whoever takes the connection over. */
  takeHeld(): Uint8Array[] {
    return this.#held.splice(0)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#deliverLater()
  }

  #deliverLater(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#schedule(() => {
      this.#scheduled = false
      this.#deliver()
    })
  }

  #deliver(): void {
    if (!this.#begun || this.#delivering || this.#scheduled) return
    this.#delivering = true
    // A handler may pause, put back bytes, or close; each is seen before the next chunk is handed over.
    while (!this.#paused && !this.#scheduled && this.#held.length > 0)
      this.#hand(this.#held.shift() as Uint8Array)
    this.#delivering = false
    if (this.#scheduled) return
    if (this.#end === 'held' && !this.#paused) {
      this.#end = 'told'
      this.#guarded(() => this.#receiver.onEnd())
    }
    // A connection that is gone is told also to a wire that is paused: nothing will ever resume it.
    if (this.#close === 'held') {
      this.#close = 'told'
      this.#held.length = 0
      this.#end = 'told'
      this.#guarded(() => this.#receiver.onClose(this.#error))
    }
  }

  #hand(chunk: Uint8Array): void {
    try {
      this.#receiver.onData(chunk)
    } catch (thrown) {
      this.#receiver.close(RpcError.from(thrown))
    }
  }

  #guarded(fn: () => void): void {
    try {
      fn()
    } catch (thrown) {
      this.#receiver.close(RpcError.from(thrown))
    }
  }
}
