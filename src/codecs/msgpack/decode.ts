import { copyBytes } from '../../core/bytes/copy.ts'
import { readStrictUtf8 } from '../../core/bytes/strict-utf8.ts'
import { refuseCollisions } from '../../core/collisions.ts'
import { errorFromFields } from '../../core/error-value.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { bytesToBigint } from './bigint.ts'
import { extension, recordByte } from './format.ts'
import { type KeyCache, maxCachedKey } from './key-cache.ts'
import { type Records, setOwn } from './records.ts'
import { readShortText, shortText } from './short-text.ts'
import { bytesToDate } from './timestamp.ts'

const scratch = new Uint8Array(8)
const scratchView = new DataView(scratch.buffer)
const nothing = new Uint8Array(0)

/** Reads values by range, straight from the bytes that arrived. Every count is checked against the bytes left. */
export class Decoder {
  readonly #limits: Limits
  /** @internal The rest is internal to this folder; private names would cost in the hottest loop there is. */
  readonly maxDepth: number
  readonly records: Records
  readonly keys: KeyCache
  bytes: Uint8Array = nothing
  start = 0
  at = 0
  end = 0
  depth = 0

  constructor(limits: Limits, records: Records, keys: KeyCache) {
    this.#limits = limits
    this.maxDepth = limits.maxDepth
    this.records = records
    this.keys = keys
  }

  /** As `CodecSession.decode`. */
  decode(bytes: Uint8Array, start: number, end: number): unknown {
    const { maxMessageBytes } = this.#limits
    if (end - start > maxMessageBytes) {
      throw new RpcError(
        'resource_exhausted',
        `a message of ${end - start} bytes, at most ${maxMessageBytes} are allowed`,
      )
    }
    this.bytes = bytes
    this.start = start
    this.at = start
    this.end = end
    this.depth = 0
    const value = this.read()
    if (this.at !== end) throw this.invalid(`${end - this.at} bytes follow the value`)
    // The connection's bytes are its own again; a session at rest must not keep them alive.
    this.bytes = nothing
    return value
  }

  invalid(problem: string): RpcError {
    return new RpcError(
      'invalid_argument',
      `the message is no valid MessagePack: ${problem} (at byte ${this.at - this.start})`,
    )
  }

  truncated(): RpcError {
    return this.invalid('it ends in the middle of a value')
  }

  read(): unknown {
    if (this.at >= this.end) throw this.truncated()
    const byte = this.bytes[this.at++] as number
    if (byte < 0x80) return byte
    if (byte >= 0xe0) return byte - 0x100
    if (byte < 0x90) return this.map(byte & 0x0f)
    if (byte < 0xa0) return this.array(byte & 0x0f)
    if (byte < 0xc0) return this.string(byte & 0x1f)
    switch (byte) {
      case 0xc0:
        return null
      case recordByte:
        return this.record()
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.binary(this.u8())
      case 0xc5:
        return this.binary(this.u16())
      case 0xc6:
        return this.binary(this.u32())
      case 0xc7:
        return this.extended(this.u8())
      case 0xc8:
        return this.extended(this.u16())
      case 0xc9:
        return this.extended(this.u32())
      case 0xca:
        return this.float32()
      case 0xcb:
        return this.float64()
      case 0xcc:
        return this.u8()
      case 0xcd:
        return this.u16()
      case 0xce:
        return this.u32()
      case 0xcf:
        return this.wide(this.u32())
      case 0xd0:
        return (this.u8() << 24) >> 24
      case 0xd1:
        return (this.u16() << 16) >> 16
      case 0xd2:
        return this.u32() | 0
      case 0xd3:
        return this.wide(this.u32() | 0)
      case 0xd4:
        return this.extended(1)
      case 0xd5:
        return this.extended(2)
      case 0xd6:
        return this.extended(4)
      case 0xd7:
        return this.extended(8)
      case 0xd8:
        return this.extended(16)
      case 0xd9:
        return this.string(this.u8())
      case 0xda:
        return this.string(this.u16())
      case 0xdb:
        return this.string(this.u32())
      case 0xdc:
        return this.array(this.u16())
      case 0xdd:
        return this.array(this.u32())
      case 0xde:
        return this.map(this.u16())
      default:
        return this.map(this.u32())
    }
  }

  /** The position of the next `count` bytes, which it steps over. */
  skip(count: number): number {
    const { at } = this
    if (count > this.end - at) throw this.truncated()
    this.at = at + count
    return at
  }

  u8(): number {
    return this.bytes[this.skip(1)] as number
  }

  u16(): number {
    const at = this.skip(2)
    const { bytes } = this
    return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
  }

  u32(): number {
    const at = this.skip(4)
    const { bytes } = this
    const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16)
    return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0
  }

  /** A 64-bit integer of which the high half has been read: a number where that is exact, else a bigint. */
  wide(high: number): number | bigint {
    const low = this.u32()
    const value = high * 0x1_0000_0000 + low
    return Number.isSafeInteger(value) ? value : BigInt(high) * 0x1_0000_0000n + BigInt(low)
  }

  float32(): number {
    const at = this.skip(4)
    for (let i = 0; i < 4; i++) scratch[i] = this.bytes[at + i] as number
    return scratchView.getFloat32(0)
  }

  float64(): number {
    const at = this.skip(8)
    const { bytes } = this
    for (let i = 0; i < 8; i++) scratch[i] = bytes[at + i] as number
    return scratchView.getFloat64(0)
  }

  string(length: number): string {
    const start = this.skip(length)
    if (length <= shortText) {
      const text = readShortText(this.bytes, start, length)
      if (text !== undefined) return text
    }
    return readStrictUtf8(this.bytes, start, start + length)
  }

  binary(length: number): Uint8Array {
    const start = this.skip(length)
    return copyBytes(this.bytes, start, start + length)
  }

  enter(): void {
    if (++this.depth > this.maxDepth) {
      throw new RpcError('resource_exhausted', `the message is nested deeper than ${this.maxDepth} levels`)
    }
  }

  array(count: number): unknown[] {
    if (count > this.end - this.at) throw this.truncated()
    this.enter()
    let list: unknown[]
    // Never allocated by the count that the peer claims: 64 levels of such claims would fit into one message.
    switch (count) {
      case 0:
        list = []
        break
      case 1:
        list = [this.read()]
        break
      case 2:
        list = [this.read(), this.read()]
        break
      case 3:
        list = [this.read(), this.read(), this.read()]
        break
      default:
        list = [this.read(), this.read(), this.read(), this.read()]
        for (let i = 4; i < count; i++) list.push(this.read())
    }
    this.depth--
    return list
  }

  map(count: number): Record<string, unknown> {
    if (count * 2 > this.end - this.at) throw this.truncated()
    this.enter()
    const object: Record<string, unknown> = {}
    for (let i = 0; i < count; i++) {
      const key = this.key()
      setOwn(object, key, this.read())
    }
    this.depth--
    return object
  }

  key(): string {
    const byte = this.bytes[this.at] as number
    if (byte >= 0xa0 && byte < 0xc0) {
      const length = byte & 0x1f
      if (length <= maxCachedKey && length < this.end - this.at) {
        this.at += 1 + length
        return this.keys.read(this.bytes, this.at - length, length)
      }
    }
    const key = this.read()
    if (typeof key === 'string') return key
    throw this.invalid('the key of a map is no string (a Map travels as an extension)')
  }

  record(): Record<string, unknown> {
    let id = this.u8()
    if (id >= 0x80) id = (id & 0x7f) | (this.u8() << 7)
    const record = this.records.get(id)
    if (record === undefined) throw this.invalid(`record ${id} is not defined`)
    if (record.names.length > this.end - this.at) throw this.truncated()
    this.enter()
    const object = record.read(this)
    this.depth--
    return object
  }

  extended(length: number): unknown {
    const type = this.u8()
    const start = this.skip(length)
    switch (type) {
      case extension.undefined:
        return undefined
      case extension.timestamp:
        return bytesToDate(this.bytes, start, start + length)
      case extension.bigint:
        return bytesToBigint(this.bytes, start, start + length)
      case extension.map:
        return this.within(start, readMap)
      case extension.set:
        return this.within(start, readSet)
      case extension.error:
        return this.within(start, readError)
      default:
        throw this.invalid(`extension type ${(type << 24) >> 24} is not known`)
    }
  }

  /** Reads the payload from `start` to the position, as a whole. */
  within<T>(start: number, read: (payload: unknown) => T | undefined): T {
    const outerEnd = this.end
    this.end = this.at
    this.at = start
    const payload = this.read()
    if (this.at !== this.end) throw this.invalid('bytes follow the payload of an extension')
    this.end = outerEnd
    const value = read(payload)
    if (value === undefined) throw this.invalid('an extension has a payload of the wrong type')
    return value
  }
}

function readMap(payload: unknown): Map<unknown, unknown> | undefined {
  if (!Array.isArray(payload) || payload.length % 2 !== 0) return undefined
  refuseCollisions(payload.filter((_, i) => i % 2 === 0))
  const map = new Map<unknown, unknown>()
  for (let i = 0; i < payload.length; i += 2) map.set(payload[i], payload[i + 1])
  return map
}

function readSet(payload: unknown): Set<unknown> | undefined {
  if (!Array.isArray(payload)) return undefined
  refuseCollisions(payload)
  return new Set(payload)
}

function readError(payload: unknown): Error | undefined {
  const isObject =
    typeof payload === 'object' && payload !== null && Object.getPrototypeOf(payload) === Object.prototype
  return isObject ? errorFromFields(payload as Record<string, unknown>) : undefined
}
