import { readStrictUtf8 } from '../../core/bytes/strict-utf8.ts'
import { Problem } from '../problem.ts'

const nothing = new Uint8Array(0)
const scratch = new Uint8Array(8)
const scratchView = new DataView(scratch.buffer)
const two32 = 0x1_0000_0000
const two31 = 0x8000_0000

/** Reads the pieces of gob between two positions. Reading past the end is a problem, never an undefined. */
export class GobReader {
  bytes: Uint8Array = nothing
  at = 0
  end = 0
  /** How many containers the current value is in. */
  depth = 0
  readonly maxDepth: number
  /** How many omitted fields may still be filled in. */
  omittable = 0
  /** How many definitions stood inside values: where one does, the lengths around it mean something else. */
  definitions = 0

  constructor(maxDepth: number) {
    this.maxDepth = maxDepth
  }

  reset(bytes: Uint8Array, at: number, end: number): void {
    this.bytes = bytes
    this.at = at
    this.end = end
    this.depth = 0
  }

  enter(): void {
    if (++this.depth > this.maxDepth) {
      throw new Problem(`is nested deeper than ${this.maxDepth} levels`, 'resource_exhausted')
    }
  }

  /** Counts fields that are filled in though no byte stands for them. */
  omit(count: number): void {
    this.omittable -= count
    if (this.omittable < 0)
      throw new Problem('leaves out more fields than maxOmittedFields allows', 'resource_exhausted')
  }

  /** An unsigned integer up to 2^53 - 1: lengths, counts, field numbers. */
  count(): number {
    if (this.at >= this.end) throw truncated()
    const first = this.bytes[this.at++] as number
    if (first < 0x80) return first
    const value = this.#long(first)
    if (typeof value === 'number') return value
    throw new Problem('has a length or a field number that is impossibly large')
  }

  /** The count of things that take at least `least` bytes each, checked against the bytes that are left. */
  bounded(least: number): number {
    const count = this.count()
    if (count * least <= this.end - this.at) return count
    throw new Problem(
      `claims ${count} ${least === 1 ? 'elements or bytes' : 'entries'}, but only ${this.end - this.at} bytes are left`,
    )
  }

  uint(): number | bigint {
    if (this.at >= this.end) throw truncated()
    const first = this.bytes[this.at++] as number
    return first < 0x80 ? first : this.#long(first)
  }

  int(): number | bigint {
    if (this.at >= this.end) throw truncated()
    const first = this.bytes[this.at++] as number
    if (first < 0x80) return (first & 1) === 0 ? first >> 1 : ~(first >> 1)
    const length = this.#lengthOf(first)
    const low = this.#number(Math.max(length - 4, 0), length)
    const high = this.#number(0, Math.max(length - 4, 0))
    this.at += length
    if (high < 0x400000) {
      const half = high * two31 + (low >>> 1)
      const value = (low & 1) === 0 ? half : -1 - half
      if (Number.isSafeInteger(value)) return value
    }
    const half = BigInt(high) * BigInt(two31) + BigInt(low >>> 1)
    return (low & 1) === 0 ? half : -1n - half
  }

  /** An id of a type, or minus one. */
  id(): number {
    const id = this.int()
    if (typeof id === 'number' && id >= -0x8000_0000 && id < 0x8000_0000) return id
    throw new Problem('has a type id that is impossibly large')
  }

  float(): number {
    if (this.at >= this.end) throw truncated()
    const first = this.bytes[this.at++] as number
    scratch.fill(0)
    if (first < 0x80) scratch[7] = first
    else {
      const length = this.#lengthOf(first)
      for (let i = 0; i < length; i++) scratch[8 - length + i] = this.bytes[this.at + i] as number
      this.at += length
    }
    return scratchView.getFloat64(0, true)
  }

  text(): string {
    const length = this.bounded(1)
    const start = this.at
    this.at += length
    if (length < 24) {
      const short = readAscii(this.bytes, start, length)
      if (short !== undefined) return short
    }
    return readStrictUtf8(this.bytes, start, start + length)
  }

  /** A copy. */
  binary(): Uint8Array {
    const length = this.bounded(1)
    const copy = new Uint8Array(length)
    copy.set(this.bytes.subarray(this.at, this.at + length))
    this.at += length
    return copy
  }

  skipUint(): void {
    if (this.at >= this.end) throw truncated()
    const first = this.bytes[this.at++] as number
    if (first >= 0x80) this.at += this.#lengthOf(first)
  }

  skipBinary(): void {
    const length = this.bounded(1)
    this.at += length
  }

  /** The number of bytes of an integer that does not fit into its first byte, which is that number, negated. */
  #lengthOf(first: number): number {
    const length = 0x100 - first
    if (length > 8) throw new Problem(`has an integer of ${length} bytes`)
    if (length > this.end - this.at) throw truncated()
    return length
  }

  #long(first: number): number | bigint {
    const length = this.#lengthOf(first)
    const low = this.#number(Math.max(length - 4, 0), length)
    const high = this.#number(0, Math.max(length - 4, 0))
    this.at += length
    return high < 0x200000 ? high * two32 + low : BigInt(high) * BigInt(two32) + BigInt(low)
  }

  #number(from: number, to: number): number {
    let value = 0
    for (let i = from; i < to; i++) value = value * 0x100 + (this.bytes[this.at + i] as number)
    return value
  }
}

function truncated(): Problem {
  return new Problem('ends in the middle')
}

const { fromCharCode } = String

/** Short ASCII; undefined where it is something else. The way through the platform takes longer than this. */
function readAscii(bytes: Uint8Array, start: number, length: number): string | undefined {
  let text = ''
  let i = 0
  for (; i + 4 <= length; i += 4) {
    const a = bytes[start + i] as number
    const b = bytes[start + i + 1] as number
    const c = bytes[start + i + 2] as number
    const d = bytes[start + i + 3] as number
    if ((a | b | c | d) >= 0x80) return undefined
    text += fromCharCode(a, b, c, d)
  }
  for (; i < length; i++) {
    const a = bytes[start + i] as number
    if (a >= 0x80) return undefined
    text += fromCharCode(a)
  }
  return text
}
