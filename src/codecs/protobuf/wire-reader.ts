import { readStrictUtf8 } from '../../core/bytes/strict-utf8.ts'
import { Problem } from '../problem.ts'

/** How a field's value stands on the wire; these numbers are part of the tag. */
export const wires = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const

const two32 = 0x1_0000_0000

/** Reads the pieces of a message between two positions. Reading past the end is a problem, never an undefined. */
export class WireReader {
  readonly bytes: Uint8Array
  at: number
  end: number
  /** The halves of the last varint or 64-bit number, unsigned. */
  low = 0
  high = 0
  readonly #view: DataView
  #depth = 0
  readonly #maxDepth: number
  /** How many fields may still be filled in though no byte stands for them. */
  #omittable: number

  constructor(
    bytes: Uint8Array,
    range: { readonly start: number; readonly end: number },
    limits: { readonly maxDepth: number; readonly maxOmittedFields: number },
  ) {
    this.bytes = bytes
    this.at = range.start
    this.end = range.end
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#maxDepth = limits.maxDepth
    this.#omittable = limits.maxOmittedFields
  }

  enter(): void {
    if (++this.#depth > this.#maxDepth)
      throw new Problem(
        `is nested deeper than ${this.#maxDepth} levels (limits.maxDepth)`,
        'resource_exhausted',
      )
  }

  leave(): void {
    this.#depth--
  }

  omit(count: number): void {
    this.#omittable -= count
    if (this.#omittable < 0)
      throw new Problem('leaves out more fields than maxOmittedFields allows', 'resource_exhausted')
  }

  /** Field number times eight, and the wire. */
  tag(): number {
    this.varint()
    if (this.high !== 0 || this.low < 8) throw new Problem('has a field number that is none')
    return this.low
  }

  /** Into `low` and `high`. */
  varint(): void {
    let low = 0
    let high = 0
    for (let i = 0; i < 10; i++) {
      if (this.at >= this.end) throw truncated()
      const byte = this.bytes[this.at++] as number
      const bits = byte & 0x7f
      if (i < 4) low |= bits << (7 * i)
      else if (i === 4) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (7 * i - 32)
      if (byte >= 0x80) continue
      this.low = low >>> 0
      this.high = high >>> 0
      return
    }
    throw new Problem('has a varint of more than ten bytes')
  }

  /** Eight bytes into `low` and `high`. */
  fixed64(): void {
    const at = this.skip(8)
    this.low = this.#view.getUint32(at, true)
    this.high = this.#view.getUint32(at + 4, true)
  }

  fixed32(): number {
    return this.#view.getUint32(this.skip(4), true)
  }

  float(): number {
    return this.#view.getFloat32(this.skip(4), true)
  }

  double(): number {
    return this.#view.getFloat64(this.skip(8), true)
  }

  /** `low` and `high` as one unsigned number; a bigint beyond 2^53. */
  unsigned64(): number | bigint {
    const { low, high } = this
    return high < 0x20_0000 ? high * two32 + low : BigInt(high) * BigInt(two32) + BigInt(low)
  }

  /** The same with a sign. */
  signed64(): number | bigint {
    const { low } = this
    const high = this.high | 0
    const value = high * two32 + low
    return Number.isSafeInteger(value) ? value : BigInt(high) * BigInt(two32) + BigInt(low)
  }

  /** Turns `low` and `high` from ZigZag, where the sign is the lowest bit, into a number with a sign. */
  zigzag(): void {
    const { low, high } = this
    const sign = -(low & 1)
    this.low = (((low >>> 1) | (high << 31)) ^ sign) >>> 0
    this.high = ((high >>> 1) ^ sign) >>> 0
  }

  /** A length, and the position behind so many bytes. */
  span(): number {
    this.varint()
    if (this.high !== 0 || this.low > this.end - this.at) throw truncated()
    return this.at + this.low
  }

  text(): string {
    const end = this.span()
    const start = this.at
    this.at = end
    return readStrictUtf8(this.bytes, start, end)
  }

  /** A copy. */
  binary(): Uint8Array {
    const end = this.span()
    const copy = this.bytes.slice(this.at, end)
    this.at = end
    return copy
  }

  /** Steps over bytes; gives where they begin. */
  skip(count: number): number {
    if (count > this.end - this.at) throw truncated()
    const start = this.at
    this.at += count
    return start
  }

  /** Steps over the value of a field that is not known. */
  skipValue(tag: number): void {
    switch (tag & 7) {
      case wires.varint:
        return this.varint()
      case wires.fixed64:
        return void this.skip(8)
      case wires.bytes:
        this.at = this.span()
        return
      case wires.fixed32:
        return void this.skip(4)
      case wires.groupStart:
        return this.#skipGroup(tag)
      default:
        throw new Problem('has a value of a kind that protobuf does not have')
    }
  }

  #skipGroup(start: number): void {
    this.enter()
    for (;;) {
      const tag = this.tag()
      if ((tag & 7) !== wires.groupEnd) this.skipValue(tag)
      else if (tag === start + 1) return this.leave()
      else throw new Problem('has a group that ends as another')
    }
  }
}

function truncated(): Problem {
  return new Problem('ends in the middle')
}
