import { writeUtf8 } from '#platform'
import type { Output } from '../../core/bytes/output.ts'
import { utf8Length } from '../../core/bytes/text.ts'
import { RpcError } from '../../core/error.ts'
import { extension, recordByte } from './format.ts'

const scratch = new Uint8Array(8)
const scratchView = new DataView(scratch.buffer)
const nothing = new Uint8Array(0)

/**
 * Writes the pieces of MessagePack into the output of a connection, in place. The hot fields are copies of the
 * output's, because every kind of output has another shape: they are taken at the start of a value, and after the
 * output has grown. Nothing here is private by `#`: these are the hottest loops there are, and their users are two files.
 */
export class PieceWriter {
  readonly maxMessageBytes: number
  output: Output | undefined
  bytes: Uint8Array = nothing
  at = 0
  /** Up to here may be written without asking. */
  room = 0
  /** Up to here a message may go. */
  ceiling = 0

  constructor(maxMessageBytes: number) {
    this.maxMessageBytes = maxMessageBytes
  }

  begin(output: Output): void {
    this.output = output
    this.bytes = output.bytes
    this.at = output.at
    this.ceiling = output.at + this.maxMessageBytes
    this.room = Math.min(this.bytes.length, this.ceiling)
  }

  tooLarge(): RpcError {
    return new RpcError(
      'resource_exhausted',
      `the encoded value is larger than maxMessageBytes, ${this.maxMessageBytes}`,
    )
  }

  /** Makes room for `count` more bytes, which are an upper bound; `least` of them will certainly be written. */
  grow(count: number, least: number): void {
    if (this.at + least > this.ceiling) throw this.tooLarge()
    const output = this.output as Output
    output.at = this.at
    output.ensure(count)
    this.bytes = output.bytes
    this.room = Math.min(this.bytes.length, this.ceiling)
  }

  byte(byte: number): void {
    if (this.at + 1 > this.room) this.grow(1, 1)
    this.bytes[this.at++] = byte
  }

  undefined(): void {
    if (this.at + 3 > this.room) this.grow(3, 3)
    this.bytes[this.at++] = 0xd4
    this.bytes[this.at++] = extension.undefined
    this.bytes[this.at++] = 0
  }

  number(value: number): void {
    if (this.at + 9 > this.room) this.grow(9, 1)
    const { bytes } = this
    if ((value | 0) !== value) return this.wide(value)
    if (value >= 0) {
      // -0 is equal to 0 in every way but one.
      if (value < 0x80) {
        if (value === 0 && 1 / value < 0) return this.float(value)
        bytes[this.at++] = value
      } else if (value < 0x100) {
        bytes[this.at++] = 0xcc
        bytes[this.at++] = value
      } else if (value < 0x10000) {
        bytes[this.at++] = 0xcd
        bytes[this.at++] = value >> 8
        bytes[this.at++] = value
      } else this.word(0xce, value)
    } else if (value >= -32) {
      bytes[this.at++] = value
    } else if (value >= -0x80) {
      bytes[this.at++] = 0xd0
      bytes[this.at++] = value
    } else if (value >= -0x8000) {
      bytes[this.at++] = 0xd1
      bytes[this.at++] = value >> 8
      bytes[this.at++] = value
    } else this.word(0xd2, value)
  }

  /** A number that is no signed 32-bit integer; there is room for 9 bytes. */
  wide(value: number): void {
    if (!Number.isSafeInteger(value)) return this.float(value)
    if (value >= 0 && value <= 0xffffffff) return this.word(0xce, value)
    this.word(value >= 0 ? 0xcf : 0xd3, Math.floor(value / 0x1_0000_0000))
    this.word32(value)
  }

  float(value: number): void {
    scratchView.setFloat64(0, value)
    const { bytes } = this
    bytes[this.at++] = 0xcb
    for (let i = 0; i < 8; i++) bytes[this.at++] = scratch[i] as number
  }

  /** A head byte and 32 bits, for which there is room. */
  word(head: number, value: number): void {
    this.bytes[this.at++] = head
    this.word32(value)
  }

  word32(value: number): void {
    const { bytes } = this
    bytes[this.at++] = value >> 24
    bytes[this.at++] = value >> 16
    bytes[this.at++] = value >> 8
    bytes[this.at++] = value
  }

  string(text: string): void {
    const { length } = text
    if (length >= 32) return this.longString(text)
    if (this.at + 2 + length * 3 > this.room) this.grow(2 + length * 3, 1 + length)
    const { bytes } = this
    const start = this.at + 1
    // One pass where all is ASCII, which is what short strings mostly are.
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit >= 0x80) return this.shortText(text)
      bytes[start + i] = unit
    }
    bytes[this.at] = 0xa0 | length
    this.at = start + length
  }

  /** Up to 31 units, not all of them ASCII; there is room. */
  shortText(text: string): void {
    const { bytes } = this
    let start = this.at + 1
    const written = writeUtf8(bytes, text, start)
    if (written < 32) bytes[this.at] = 0xa0 | written
    else {
      bytes.copyWithin(start + 1, start, start + written)
      bytes[this.at] = 0xd9
      bytes[start++] = written
    }
    this.at = start + written
  }

  longString(text: string): void {
    const { length } = text
    // Room for ASCII and a little more. If something is left over, all has been written; else it is measured.
    if (this.at + length + 16 > this.room) this.grow(length + 16, length)
    const head = length < 0x100 ? 2 : length < 0x10000 ? 3 : 5
    const written = writeUtf8(this.bytes, text, this.at + head)
    if (this.at + head + written + 4 > this.bytes.length) return this.measuredString(text)
    const exact = written < 0x100 ? 2 : written < 0x10000 ? 3 : 5
    if (exact !== head) {
      if (this.at + exact + written > this.bytes.length) return this.measuredString(text)
      this.bytes.copyWithin(this.at + exact, this.at + head, this.at + head + written)
    }
    this.sized(0xd9, written)
    this.at += written
  }

  measuredString(text: string): void {
    const length = utf8Length(text)
    this.grow(length + 16, length)
    this.sized(0xd9, length)
    this.at += writeUtf8(this.bytes, text, this.at)
  }

  /** The head of a str or bin of 8, 16 or 32 bits, for which there is room. */
  sized(first: number, length: number): void {
    const { bytes } = this
    if (length < 0x100) {
      bytes[this.at++] = first
      bytes[this.at++] = length
    } else if (length < 0x10000) {
      bytes[this.at++] = first + 1
      bytes[this.at++] = length >> 8
      bytes[this.at++] = length
    } else this.word(first + 2, length)
  }

  /** The head of an array or a map. */
  counted(short: number, long: number, count: number): void {
    if (this.at + 5 > this.room) this.grow(5, 1)
    const { bytes } = this
    if (count < 16) bytes[this.at++] = short | count
    else if (count < 0x10000) {
      bytes[this.at++] = long
      bytes[this.at++] = count >> 8
      bytes[this.at++] = count
    } else if (count > this.ceiling - this.at) throw this.tooLarge()
    else this.word(long + 1, count)
  }

  binary(value: Uint8Array): void {
    const { length } = value
    if (this.at + 5 + length > this.room) this.grow(5 + length, 2 + length)
    this.sized(0xc4, length)
    this.bytes.set(value, this.at)
    this.at += length
  }

  /** An extension whose payload is at hand. */
  extended(type: number, payload: Uint8Array): void {
    const { length } = payload
    if (this.at + 6 + length > this.room) this.grow(6 + length, 2 + length)
    const { bytes } = this
    if (length === 4) bytes[this.at++] = 0xd6
    else if (length === 8) bytes[this.at++] = 0xd7
    else this.sized(0xc7, length)
    bytes[this.at++] = type
    bytes.set(payload, this.at)
    this.at += length
  }

  /** The head of a record; ids stay below 2^14. */
  record(id: number): void {
    if (this.at + 3 > this.room) this.grow(3, 2)
    const { bytes } = this
    bytes[this.at++] = recordByte
    if (id < 0x80) bytes[this.at++] = id
    else {
      bytes[this.at++] = (id & 0x7f) | 0x80
      bytes[this.at++] = id >> 7
    }
  }

  /** The head of an extension whose length is known only once its payload is written: always the widest form. */
  open(type: number): number {
    if (this.at + 6 > this.room) this.grow(6, 6)
    this.word(0xc9, 0)
    this.bytes[this.at++] = type
    return this.at
  }

  close(start: number): void {
    const end = this.at
    this.at = start - 5
    this.word32(end - start)
    this.at = end
  }
}
