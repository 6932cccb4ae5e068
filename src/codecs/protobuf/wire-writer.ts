import { writeUtf8 } from '#platform'
import type { Output } from '../../core/bytes/output.ts'
import { utf8Length } from '../../core/bytes/text.ts'
import { varintLength } from '../../core/bytes/varint.ts'
import { Problem } from '../problem.ts'

const two32 = 0x1_0000_0000

/** Writes the pieces of a message straight into an output. */
export class WireWriter {
  readonly output: Output
  readonly #start: number
  readonly #maxBytes: number
  readonly #maxDepth: number
  #depth = 0

  constructor(output: Output, limits: { readonly maxMessageBytes: number; readonly maxDepth: number }) {
    this.output = output
    this.#start = output.at
    this.#maxBytes = limits.maxMessageBytes
    this.#maxDepth = limits.maxDepth
  }

  enter(): void {
    if (++this.#depth > this.#maxDepth)
      throw new Problem(
        `is nested deeper than ${this.#maxDepth} levels (limits.maxDepth); a cycle cannot travel`,
        'resource_exhausted',
      )
  }

  leave(): void {
    this.#depth--
  }

  tag(number: number, wire: number): void {
    this.varint((number * 8 + wire) >>> 0, 0)
  }

  /** A varint of two unsigned halves. */
  varint(low: number, high: number): void {
    this.#ensure(10)
    const { bytes } = this.output
    let at = this.output.at
    while (high !== 0) {
      bytes[at++] = (low & 0x7f) | 0x80
      low = ((low >>> 7) | (high << 25)) >>> 0
      high >>>= 7
    }
    while (low >= 0x80) {
      bytes[at++] = (low & 0x7f) | 0x80
      low >>>= 7
    }
    bytes[at++] = low
    this.output.at = at
  }

  /** An integer of up to 64 bits; a negative one takes ten bytes. */
  integer(value: number | bigint): void {
    const [low, high] = halves(value)
    this.varint(low, high)
  }

  fixed64(value: number | bigint): void {
    const [low, high] = halves(value)
    this.fixed32(low)
    this.fixed32(high)
  }

  fixed32(value: number): void {
    this.#view(4).setUint32(0, value, true)
  }

  float(value: number): void {
    this.#view(4).setFloat32(0, value, true)
  }

  double(value: number): void {
    this.#view(8).setFloat64(0, value, true)
  }

  text(text: string): void {
    const length = utf8Length(text)
    this.varint(length, 0)
    this.#fit(length)
    const { output } = this
    output.at += writeUtf8(output.bytes, text, output.at)
  }

  binary(bytes: Uint8Array): void {
    this.varint(bytes.length, 0)
    this.#fit(bytes.length)
    this.output.bytes.set(bytes, this.output.at)
    this.output.at += bytes.length
  }

  /** What `write` writes, with its length before it. */
  span(write: () => void): void {
    // Nearly every length fits into one byte; where it does not, what has been written moves.
    this.#ensure(1)
    const { output } = this
    const start = ++output.at
    write()
    const length = output.at - start
    const lengthBytes = varintLength(length)
    this.#ensure(lengthBytes)
    output.bytes.copyWithin(start + lengthBytes - 1, start, start + length)
    let rest = length
    for (let at = start - 1; at < start + lengthBytes - 1; at++) {
      output.bytes[at] = rest >= 0x80 ? (rest & 0x7f) | 0x80 : rest
      rest >>>= 7
    }
    output.at += lengthBytes - 1
  }

  /** Checks the whole, behind the last field. */
  finish(): void {
    this.#fit(0)
  }

  // What is too large is noticed while it is written, not when it has filled the memory.
  #ensure(count: number): void {
    if (this.output.at - this.#start > this.#maxBytes) this.#fit(0)
    this.output.ensure(count)
  }

  #fit(count: number): void {
    if (this.output.at - this.#start + count > this.#maxBytes)
      throw new Problem(
        `is larger than ${this.#maxBytes} bytes (limits.maxMessageBytes)`,
        'resource_exhausted',
      )
    this.output.ensure(count)
  }

  #view(count: number): DataView {
    this.#ensure(count)
    const { output } = this
    const { buffer, byteOffset } = output.bytes
    const view = new DataView(buffer, byteOffset + output.at, count)
    output.at += count
    return view
  }
}

/** The lower and the upper 32 bits, of the two's complement. */
function halves(value: number | bigint): [low: number, high: number] {
  if (typeof value === 'number') return [value >>> 0, Math.floor(value / two32) >>> 0]
  const bits = BigInt.asUintN(64, value)
  return [Number(bits & 0xffff_ffffn), Number(bits >> 32n)]
}
