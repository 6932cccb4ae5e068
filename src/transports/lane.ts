import type { RpcError } from '../core/error.ts'

/** One direction of a connection within the process: what the sender puts in comes to the receiver, in order. */
export interface Lane {
  /** Bytes that the receiver has not taken, beyond those that a system would buffer. */
  readonly unsent: number
  /** Called when `unsent` has fallen back to 0. */
  onDrain: () => void
  /** Takes a chunk over; it will not be changed any more. */
  send(chunk: Uint8Array): void
  /** Nothing more will be sent. */
  end(): void
  /** The connection is gone, with an error if it breaks off; bytes on their way still arrive if it does not. */
  close(error?: RpcError): void
  /** The receiver has begun to take again. */
  wake(): void
}

/** Where a lane leads to. */
export interface LaneEnd {
  /** Whether it takes nothing for now. */
  readonly paused: boolean
  receive(chunk: Uint8Array): void
  receiveEnd(): void
  receiveClose(error: RpcError | undefined): void
}

// About what Linux buffers for a loopback connection before the sender notices that nobody reads.
const systemBufferBytes = 256 * 1024

/** A lane that delivers in a later turn, nothing else. */
export class DirectLane implements Lane {
  onDrain: () => void = () => {}
  readonly #to: LaneEnd
  readonly #schedule: (fn: () => void) => void
  readonly #chunks: Uint8Array[] = []
  #waiting = 0
  #scheduled = false
  #full = false
  #end = false
  #close: { readonly error: RpcError | undefined } | undefined

  constructor(to: LaneEnd, schedule: (fn: () => void) => void) {
    this.#to = to
    this.#schedule = schedule
  }

  get unsent(): number {
    return Math.max(0, this.#waiting - systemBufferBytes)
  }

  send(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#waiting += chunk.length
    if (this.unsent > 0) this.#full = true
    this.wake()
  }

  end(): void {
    this.#end = true
    this.wake()
  }

  close(error?: RpcError): void {
    if (error !== undefined) this.#drop()
    this.#close ??= { error }
    this.wake()
  }

  wake(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#schedule(() => {
      this.#scheduled = false
      this.#deliver()
    })
  }

  #deliver(): void {
    while (!this.#to.paused && this.#chunks.length > 0) {
      const chunk = this.#chunks.shift() as Uint8Array
      this.#waiting -= chunk.length
      this.#to.receive(chunk)
    }
    if (this.#full && this.unsent === 0) {
      this.#full = false
      this.onDrain()
    }
    if (this.#chunks.length > 0) return
    if (this.#end) {
      this.#end = false
      this.#to.receiveEnd()
    }
    if (this.#close !== undefined) this.#to.receiveClose(this.#close.error)
  }

  #drop(): void {
    this.#chunks.length = 0
    this.#waiting = 0
    this.#end = false
  }
}
