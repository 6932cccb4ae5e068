/**
 * Where encoders write: straight into the bytes that will be sent, so that a message is never copied on its way out.
 * `at` is the next free position. An encoder calls `ensure(n)` before it writes n bytes, and afterwards uses
 * `output.bytes` afresh, because `ensure` may have replaced it by a larger one (positions stay valid).
 */
export interface Output {
  bytes: Uint8Array
  at: number
  ensure(count: number): void
}

/** An Output in memory, for whoever needs the bytes of one message for themselves. */
export class MemoryOutput implements Output {
  bytes: Uint8Array
  at = 0

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity)
  }

  ensure(count: number): void {
    if (this.at + count <= this.bytes.length) return
    this.bytes = grow(this.bytes, this.at, this.at + count)
  }

  /** A copy of what has been written since `from`, then forgets it. */
  take(from = 0): Uint8Array {
    const taken = this.bytes.slice(from, this.at)
    this.at = from
    return taken
  }
}

/** A larger copy of `bytes` (at least doubled), of which the first `used` are kept. */
export function grow(bytes: Uint8Array, used: number, needed: number): Uint8Array {
  const larger = new Uint8Array(Math.max(bytes.length * 2, needed))
  larger.set(used === bytes.length ? bytes : bytes.subarray(0, used))
  return larger
}
