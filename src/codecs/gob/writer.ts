import { writeUtf8 } from '#platform'
import type { Output } from '../../core/bytes/output.ts'
import { utf8Length } from '../../core/bytes/text.ts'
import { Problem } from '../problem.ts'

const nothing = new Uint8Array(0)
const scratch = new Uint8Array(8)
const scratchView = new DataView(scratch.buffer)
const two32 = 0x1_0000_0000
const two31 = 0x8000_0000
const maxInt64 = 2n ** 63n - 1n
const minInt64 = -(2n ** 63n)
const maxUint64 = 2n ** 64n - 1n

/**
 * Writes the pieces of gob into an output, in place. `bytes`, `at` and `room` are copies of the output's, because
 * every kind of output has another shape; they are taken at the start of a message and after the output has grown.
 */
export class GobWriter {
  readonly maxMessageBytes: number
  readonly maxDepth: number
  depth = 0
  at = 0
  bytes: Uint8Array = nothing
  #output: Output | undefined
  #room = 0
  #ceiling = 0

  constructor(limits: { readonly maxMessageBytes: number; readonly maxDepth: number }) {
    this.maxMessageBytes = limits.maxMessageBytes
    this.maxDepth = limits.maxDepth
  }

  get busy(): boolean {
    return this.#output !== undefined
  }

  begin(output: Output): void {
    this.#output = output
    this.bytes = output.bytes
    this.at = output.at
    this.#room = output.bytes.length
    this.#ceiling = output.at + this.maxMessageBytes
    this.depth = 0
  }

  /** Lets go of the output: a session at rest must not keep its bytes alive. */
  end(): void {
    this.#output = undefined
    this.bytes = nothing
  }

  enter(): void {
    if (++this.depth > this.maxDepth) {
      throw new Problem(`is nested deeper than ${this.maxDepth} levels (a cycle cannot travel)`)
    }
  }

  /** Makes room for `count` bytes, of which at least `least` will be written. */
  #grow(count: number, least: number): void {
    if (this.at + least > this.#ceiling) {
      throw new Problem(
        `makes the message larger than maxMessageBytes, ${this.maxMessageBytes}`,
        'resource_exhausted',
      )
    }
    const output = this.#output as Output
    output.at = this.at
    output.ensure(count)
    this.bytes = output.bytes
    this.#room = output.bytes.length
  }

  /** Room for `count` bytes more than the message's own. */
  reserve(count: number): void {
    if (this.at + count > this.#room) this.#grow(count, 0)
  }

  byte(byte: number): void {
    if (this.at + 1 > this.#room) this.#grow(1, 1)
    this.bytes[this.at++] = byte
  }

  /** An unsigned integer up to 2^53 - 1. */
  uint(value: number): void {
    if (this.at + 9 > this.#room) this.#grow(9, 1)
    if (value < 0x80) this.bytes[this.at++] = value
    else if (value < two32) this.#word(value)
    else this.#words(Math.floor(value / two32), value >>> 0)
  }

  /** A safe integer. */
  int(value: number): void {
    if (this.at + 9 > this.#room) this.#grow(9, 1)
    // The sign is the lowest bit; of negative ones the complement is sent.
    if (value >= -64 && value < 64) this.bytes[this.at++] = value < 0 ? ~(value << 1) : value << 1
    else {
      const half = value < 0 ? -1 - value : value
      if (half < two31) this.#word((half * 2 + (value < 0 ? 1 : 0)) >>> 0)
      else this.#words(Math.floor(half / two31), ((half % two31) * 2 + (value < 0 ? 1 : 0)) >>> 0)
    }
  }

  /** Any of int64. */
  bigInt(value: bigint): void {
    if (value < minInt64 || value > maxInt64) throw new Problem('does not fit into 64 bits, signed')
    this.#big(value < 0n ? ((-1n - value) << 1n) | 1n : value << 1n)
  }

  /** Any of uint64. */
  bigUint(value: bigint): void {
    if (value < 0n || value > maxUint64) throw new Problem('does not fit into 64 bits, unsigned')
    this.#big(value)
  }

  #big(value: bigint): void {
    if (this.at + 9 > this.#room) this.#grow(9, 1)
    const high = Number(value >> 32n)
    const low = Number(value & 0xffffffffn)
    if (high > 0) this.#words(high, low)
    else if (low < 0x80) this.bytes[this.at++] = low
    else this.#word(low)
  }

  /** Up to 32 bits, at least 0x80, in as few bytes as will do, after their negated number. */
  #word(value: number): void {
    const { bytes } = this
    if (value < 0x100) bytes[this.at++] = 0xff
    else {
      if (value < 0x10000) bytes[this.at++] = 0xfe
      else {
        if (value < 0x1000000) bytes[this.at++] = 0xfd
        else {
          bytes[this.at++] = 0xfc
          bytes[this.at++] = value >>> 24
        }
        bytes[this.at++] = value >>> 16
      }
      bytes[this.at++] = value >>> 8
    }
    bytes[this.at++] = value
  }

  /** More than 32 bits. */
  #words(high: number, low: number): void {
    const { bytes } = this
    const head = this.at++
    for (let shift = 24; shift >= 0; shift -= 8) {
      if (high >>> shift > 0) bytes[this.at++] = high >>> shift
    }
    bytes[head] = 0x100 - (this.at - head - 1 + 4)
    for (let shift = 24; shift >= 0; shift -= 8) bytes[this.at++] = low >>> shift
  }

  /** A 64-bit float: its bytes from the last to the first, then as an unsigned integer. */
  float(value: number): void {
    if (this.at + 9 > this.#room) this.#grow(9, 1)
    const { bytes } = this
    scratchView.setFloat64(0, value, true)
    let first = 0
    while (first < 7 && scratch[first] === 0) first++
    const last = scratch[7] as number
    if (first === 7 && last < 0x80) {
      bytes[this.at++] = last
      return
    }
    bytes[this.at++] = 0x100 - (8 - first)
    for (; first < 8; first++) bytes[this.at++] = scratch[first] as number
  }

  text(text: string): void {
    const { length } = text
    if (length < 0x2a) {
      if (this.at + 1 + length * 3 > this.#room) this.#grow(1 + length * 3, 1 + length)
      // Three bytes a unit at most: the length is below 0x80, one byte, before it is known.
      const written = writeUtf8(this.bytes, text, this.at + 1)
      this.bytes[this.at] = written
      this.at += 1 + written
      return
    }
    const size = utf8Length(text)
    this.uint(size)
    if (this.at + size > this.#room) this.#grow(size, size)
    this.at += writeUtf8(this.bytes, text, this.at)
  }

  binary(bytes: Uint8Array): void {
    this.uint(bytes.length)
    if (this.at + bytes.length > this.#room) this.#grow(bytes.length, bytes.length)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
  }

  /** Starts what has its length before it; returns where it starts, for {@link close}. */
  open(): number {
    this.byte(0)
    return this.at
  }

  /** Writes the length of what has been written since {@link open}. */
  close(start: number): void {
    const length = this.at - start
    if (this.at > this.#ceiling) this.#grow(0, 1)
    if (length < 0x80) {
      this.bytes[start - 1] = length
      return
    }
    // Few messages are longer than the one byte that was kept free; those are moved.
    const more = length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4
    if (this.at + more > this.#room) this.#grow(more, 0)
    this.bytes.copyWithin(start + more, start, this.at)
    this.at = start - 1
    this.#word(length)
    this.at += length
  }

  /** Puts bytes before what has been written since `start`; for definitions. */
  insert(start: number, given: Uint8Array): void {
    this.reserve(given.length)
    this.bytes.copyWithin(start + given.length, start, this.at)
    this.bytes.set(given, start)
    this.at += given.length
  }
}
