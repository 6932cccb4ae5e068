import { RpcError } from '../error.ts'
import type { Output } from './output.ts'

/**
 * Unsigned LEB128 integers up to 2^53 - 1: seven bits a byte, lowest first, the high bit says that more follow.
 * The same as protobuf's varint.
 */
export function writeVarint(output: Output, value: number): void {
  output.ensure(8)
  const { bytes } = output
  let rest = value
  while (rest >= 0x80) {
    bytes[output.at++] = (rest & 0x7f) | 0x80
    // Above 2^31 the bit operators would lose the upper half.
    rest = rest < 0x8000_0000 ? rest >>> 7 : Math.floor(rest / 128)
  }
  bytes[output.at++] = rest
}

/** How many bytes {@link writeVarint} takes. */
export function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) length++
  return length
}

/**
 * Reads with a position, within the bounds that it was given. Reading past the end throws `invalid_argument`, so that
 * a truncated message is one clear error and never a silent undefined.
 */
export class Reader {
  bytes: Uint8Array
  at: number
  end: number

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  /** Turns this reader to other bytes; sessions keep one reader for all frames. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    // Mostly the chunk of the frame before; asking is cheaper than telling the collector of an old object's new one.
    if (this.bytes !== bytes) this.bytes = bytes
    this.at = start
    this.end = end
  }

  get left(): number {
    return this.end - this.at
  }

  byte(): number {
    if (this.at >= this.end) throw truncated('a byte')
    return this.bytes[this.at++] as number
  }

  varint(): number {
    let byte = this.byte()
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    // As many as the bit operators can hold: nearly all numbers that are sent.
    for (let shift = 7; shift < 28; shift += 7) {
      byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    return this.#large(value)
  }

  #large(low: number): number {
    let value = low
    let factor = 2 ** 28
    let byte: number
    do {
      byte = this.byte()
      value += (byte & 0x7f) * factor
      factor *= 0x80
      if (value > Number.MAX_SAFE_INTEGER || factor > 2 ** 56) {
        throw new RpcError('invalid_argument', 'a varint is larger than 2^53 - 1')
      }
    } while (byte >= 0x80)
    return value
  }

  /** The position of the next `count` bytes, which it steps over. */
  skip(count: number): number {
    if (count > this.left) throw truncated(`${count} bytes`)
    const start = this.at
    this.at += count
    return start
  }
}

function truncated(what: string): RpcError {
  return new RpcError('invalid_argument', `the message ends where ${what} should follow`)
}
