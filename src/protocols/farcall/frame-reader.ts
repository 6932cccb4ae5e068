import { grow } from '../../core/bytes/output.ts'
import { RpcError } from '../../core/error.ts'

/** Takes one frame: its type, and where its id and body are. The bytes are borrowed until it returns. */
export type OnFrame = (type: number, bytes: Uint8Array, start: number, end: number) => void

const lengthBytes = 4

/**
 * Cuts a byte stream into frames. Whole frames are read in place; only one that is split between chunks is copied,
 * into a buffer of just its size, so that one byte a packet costs no more than any other way of cutting.
 */
export class FrameReader {
  readonly #maxFrameBytes: number
  readonly #onFrame: OnFrame
  readonly #head = new Uint8Array(lengthBytes)
  #headLength = 0
  // Grows with what has really come: a claimed length costs nothing.
  #partial: Uint8Array | undefined
  #length = 0
  #filled = 0
  #stopped = false

  constructor(maxFrameBytes: number, onFrame: OnFrame) {
    this.#maxFrameBytes = maxFrameBytes
    this.#onFrame = onFrame
  }

  /** True between two frames: where a stream may end. */
  get atBoundary(): boolean {
    return this.#headLength === 0 && this.#partial === undefined
  }

  /** While a frame is taken: no more of them are read from this chunk. */
  stop(): void {
    this.#stopped = true
  }

  /**
   * Returns how far the chunk was read: to its end, or where it was stopped.
   * @throws RpcError `resource_exhausted` or `invalid_argument` for a length that cannot be.
   */
  push(chunk: Uint8Array, from = 0): number {
    this.#stopped = false
    let at = from
    if (!this.atBoundary) at = this.#continue(chunk, at)
    while (!this.#stopped && at + lengthBytes <= chunk.length) {
      const length = readLength(chunk, at)
      this.#check(length)
      const end = at + lengthBytes + length
      if (end > chunk.length) break
      this.#onFrame(chunk[at + lengthBytes] as number, chunk, at + lengthBytes + 1, end)
      at = end
    }
    if (this.#stopped) return at
    if (at < chunk.length) this.#keep(chunk, at)
    return chunk.length
  }

  // Finishes the frame that an earlier chunk began; returns where the next one begins.
  #continue(chunk: Uint8Array, from: number): number {
    let at = from
    while (this.#partial === undefined) {
      if (at === chunk.length) return at
      this.#head[this.#headLength++] = chunk[at++] as number
      if (this.#headLength === lengthBytes) this.#begin(readLength(this.#head, 0))
    }
    const taken = Math.min(this.#length - this.#filled, chunk.length - at)
    this.#fill(this.#partial, chunk.subarray(at, at + taken))
    if (this.#filled < this.#length) return at + taken
    const frame: Uint8Array = this.#partial
    this.#partial = undefined
    this.#headLength = 0
    this.#onFrame(frame[0] as number, frame, 1, this.#length)
    return at + taken
  }

  #fill(partial: Uint8Array, bytes: Uint8Array): void {
    let into = partial
    if (this.#filled + bytes.length > partial.length) {
      into = grow(partial, this.#filled, Math.min(this.#length, this.#filled + bytes.length))
      this.#partial = into
    }
    into.set(bytes, this.#filled)
    this.#filled += bytes.length
  }

  #keep(chunk: Uint8Array, at: number): void {
    this.#headLength = Math.min(chunk.length - at, lengthBytes)
    this.#head.set(chunk.subarray(at, at + this.#headLength))
    if (this.#headLength < lengthBytes) return
    this.#fill(this.#begin(readLength(this.#head, 0)), chunk.subarray(at + lengthBytes))
  }

  #begin(length: number): Uint8Array {
    this.#check(length)
    this.#length = length
    this.#filled = 0
    this.#partial = new Uint8Array(Math.min(length, 512))
    return this.#partial
  }

  #check(length: number): void {
    if (length > this.#maxFrameBytes) {
      throw new RpcError(
        'resource_exhausted',
        `a frame claims ${length} bytes, at most ${this.#maxFrameBytes} are allowed`,
      )
    }
    if (length < 2)
      throw new RpcError(
        'invalid_argument',
        `a frame claims ${length} bytes, which cannot hold its type and id`,
      )
  }
}

function readLength(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) * 0x1_00_00_00 +
    (((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number))
  )
}
