import { spareBuffers } from '../core/bytes/spare-buffers.ts'
import { bufferBytes, type Flushable, type OutputPool, sharedOutputPool } from './output-pool.ts'
import type { WireOutput } from './transport.ts'

/**
 * When committed frames leave. `coalesce`: at the end of the turn, all in one piece, which costs the least. `prompt`:
 * the same, but while only one connection of the process is busy the first 8 frames of a batch leave at once, then
 * the next 16, 32 and so on. Otherwise caller and callee would work in turns, each waiting for the other's batch.
 */
export type FlushPolicy = 'coalesce' | 'prompt'

const firstCap = 8
// A piece as large as this leaves before the turn is over, so that the other side can begin to read it, and before the
// buffer would have to grow. (Of 16 KiB, each a write of its own, messages of that size cost 1.25 times the CPU.)
const pieceBytes = 48 * 1024

/** What an output writes to. */
export interface OutputSink {
  /**
   * Sends bytes. True: they have been taken and may be overwritten. False: they must stay as they are until
   * {@link PooledOutput.reclaim} is called.
   */
  write(bytes: Uint8Array): boolean
  /** Bytes that were given to it and have not been taken. */
  readonly unsent: number
}

export interface PooledOutputOptions {
  /** Default `prompt`. */
  readonly policy?: FlushPolicy | undefined
  /** Default: the pool of the process. */
  readonly pool?: OutputPool | undefined
}

const noBytes = new Uint8Array(0)

/** The output of a wire, over buffers that all wires of the process share. */
export class PooledOutput implements WireOutput, Flushable {
  bytes: Uint8Array = noBytes
  at = 0
  readonly #sink: OutputSink
  readonly #pool: OutputPool
  readonly #prompt: boolean
  readonly #untaken: Uint8Array[] = []
  #committed = 0
  #scheduled = false
  #frames = 0
  #cap = firstCap

  constructor(sink: OutputSink, options: PooledOutputOptions = {}) {
    this.#sink = sink
    this.#pool = options.pool ?? sharedOutputPool
    this.#prompt = (options.policy ?? 'prompt') === 'prompt'
  }

  get queued(): number {
    return this.#sink.unsent + this.#committed
  }

  ensure(count: number): void {
    const needed = this.at + count
    if (needed <= this.bytes.length) return
    this.#replace(
      needed <= bufferBytes ? this.#pool.take() : spareBuffers.take(Math.max(this.bytes.length * 2, needed)),
    )
  }

  commit(prompt = true): void {
    this.#committed = this.at
    if (!this.#scheduled) {
      this.#scheduled = true
      this.#pool.flushLater(this)
    }
    if (this.at > pieceBytes) return this.#send()
    if (!prompt || !this.#prompt || ++this.#frames < this.#cap || !this.#pool.isAlone(this)) return
    this.#frames = 0
    this.#cap *= 2
    this.#send()
  }

  take(from: number): Uint8Array {
    const { bytes, at } = this
    this.at = from
    if (bytes.length <= bufferBytes) return bytes.slice(from, at)
    // A large buffer goes along, and what stands before moves to another.
    this.bytes = noBytes
    this.at = 0
    this.ensure(from)
    this.bytes.set(bytes.subarray(0, from))
    this.at = from
    return bytes.subarray(from, at)
  }

  /** Sends what is committed, and begins a new batch. */
  flush(): void {
    this.#scheduled = false
    this.#frames = 0
    this.#cap = firstCap
    this.#send()
  }

  /** Takes back the buffers of everything sent: the sink has let go of them. */
  reclaim(): void {
    for (const bytes of this.#untaken) this.#pool.give(bytes)
    this.#untaken.length = 0
  }

  /** Forgets what is unsent; for a connection that is gone. */
  discard(): void {
    // Buffers that the system may still read are left to the garbage collector.
    this.#untaken.length = 0
    this.#committed = 0
    this.at = 0
  }

  #send(): void {
    const { bytes } = this
    const length = this.#committed
    if (length === 0) return
    const rest = this.at - length
    // A frame that is not finished stays: it moves to the front of another buffer.
    this.bytes = noBytes
    this.at = 0
    this.#committed = 0
    if (rest > 0) {
      this.ensure(rest)
      this.bytes.set(bytes.subarray(length, length + rest))
      this.at = rest
    }
    if (this.#sink.write(bytes.subarray(0, length))) this.#pool.give(bytes)
    else this.#untaken.push(bytes)
  }

  #replace(larger: Uint8Array): void {
    if (this.at > 0) larger.set(this.bytes.subarray(0, this.at))
    this.#pool.give(this.bytes)
    this.bytes = larger
  }
}
