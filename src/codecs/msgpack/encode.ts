import { writeUtf8 } from '#platform'
import type { Output } from '../../core/bytes/output.ts'
import { utf8Length } from '../../core/bytes/text.ts'
import { errorFields } from '../../core/error-value.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { hasToJson, isAsyncIterable, sendableKind } from '../../core/sendable.ts'
import { explainUnsendable } from '../../core/unsendable.ts'
import { bigintToBytes } from './bigint.ts'
import { extension, recordByte } from './format.ts'
import type { ShapeNode, Shapes } from './shapes.ts'
import { timestampToBytes } from './timestamp.ts'

// Thrown where a value cannot travel; the walk that finds its path comes after.
const unsendable = Symbol('unsendable')

const scratch = new Uint8Array(8)
const scratchView = new DataView(scratch.buffer)
const nothing = new Uint8Array(0)
const objectPrototype = Object.prototype

/**
 * Writes values into the output of a connection, in place. The hot fields are copies of the output's, because every
 * kind of output has another shape: they are taken at the start of a value, and after the output has grown.
 */
export class Encoder {
  readonly #limits: Limits
  /** @internal The rest is internal to this file; private names would cost in the hottest loop there is. */
  readonly maxDepth: number
  readonly shapes: Shapes | undefined
  output: Output | undefined
  bytes: Uint8Array = nothing
  at = 0
  /** Up to here may be written without asking. */
  room = 0
  /** Up to here a message may go. */
  ceiling = 0
  depth = 0

  constructor(limits: Limits, shapes: Shapes | undefined) {
    this.#limits = limits
    this.maxDepth = limits.maxDepth
    this.shapes = shapes
  }

  /** As `CodecSession.encode`. */
  encode(value: unknown, output: Output): void {
    if (this.output !== undefined) {
      throw new RpcError(
        'failed_precondition',
        'a getter or toJSON of a value that is being sent must not itself send',
      )
    }
    const start = output.at
    this.output = output
    this.bytes = output.bytes
    this.at = start
    this.depth = 0
    this.ceiling = start + this.#limits.maxMessageBytes
    this.room = Math.min(this.bytes.length, this.ceiling)
    this.shapes?.settle()
    try {
      this.write(value)
      if (this.at > this.ceiling) throw this.tooLarge()
      output.at = this.at
    } catch (thrown) {
      output.at = start
      throw this.#explain(thrown, value)
    } finally {
      this.output = undefined
    }
  }

  #explain(thrown: unknown, value: unknown): RpcError {
    if (RpcError.is(thrown)) return thrown
    const explained = explainUnsendable(value, this.maxDepth)
    if (explained !== undefined) return explained
    if (thrown === unsendable)
      return new RpcError('invalid_argument', 'the value changed while it was being encoded')
    return RpcError.from(thrown, 'invalid_argument')
  }

  tooLarge(): RpcError {
    return new RpcError(
      'resource_exhausted',
      `the encoded value is larger than maxMessageBytes, ${this.#limits.maxMessageBytes}`,
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

  write(value: unknown): void {
    switch (typeof value) {
      case 'number':
        return this.number(value)
      case 'string':
        return this.string(value)
      case 'object':
        if (value === null) return this.byte(0xc0)
        return this.object(value)
      case 'boolean':
        return this.byte(value ? 0xc3 : 0xc2)
      case 'undefined':
        return this.undefined()
      case 'bigint':
        return this.extended(extension.bigint, bigintToBytes(value))
      default:
        throw unsendable
    }
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

  object(value: object): void {
    const before = this.depth
    if (Array.isArray(value)) {
      this.enter()
      this.array(value)
    } else {
      const prototype: unknown = Object.getPrototypeOf(value)
      if (prototype === objectPrototype || prototype === null) this.plain(value as Record<string, unknown>)
      else this.special(value)
    }
    this.depth = before
  }

  enter(): void {
    if (++this.depth > this.maxDepth) throw unsendable
  }

  array(list: readonly unknown[]): void {
    const { length } = list
    this.counted(0x90, 0xdc, length)
    for (let i = 0; i < length; i++) this.write(list[i])
  }

  /** An object without a class. `for in` and reading by its key is the fastest way through one. */
  plain(value: Record<string, unknown>): void {
    this.enter()
    const { shapes } = this
    let node: ShapeNode | undefined = shapes?.root
    let count = 0
    for (const key in value) {
      if (!Object.hasOwn(value, key)) continue
      if (key === 'toJSON' && hasToJson(value)) return this.json(value)
      if (node !== undefined)
        node = node.lastName === key && node.last !== undefined ? node.last : shapes?.step(node, key)
      count++
    }
    if (isAsyncIterable(value)) throw unsendable
    const record = node === undefined || count === 0 ? -1 : (shapes as Shapes).see(node)
    if (record !== -1) {
      this.record(record)
      for (const key in value) {
        if (!Object.hasOwn(value, key)) continue
        this.write(value[key])
        count--
      }
    } else {
      this.counted(0x80, 0xde, count)
      for (const key in value) {
        if (!Object.hasOwn(value, key)) continue
        this.string(key)
        this.write(value[key])
        count--
      }
    }
    if (count !== 0) throw unsendable
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

  /** Everything that has a class. */
  special(value: object): void {
    const kind = sendableKind(value)
    switch (kind) {
      case 'object':
        this.enter()
        return this.properties(value as Record<string, unknown>)
      case 'array':
        this.enter()
        return this.array(value as unknown[])
      case 'bytes':
        return this.binary(value as Uint8Array)
      case 'date':
        return this.date((value as Date).getTime())
      case 'map':
        return this.items(extension.map, flatten(value as ReadonlyMap<unknown, unknown>))
      case 'set':
        return this.items(extension.set, [...(value as ReadonlySet<unknown>)])
      case 'error':
        return this.error(value as Error)
      case 'json':
        this.enter()
        return this.json(value as { toJSON(key: string): unknown })
      case 'boxed':
        return this.write(value.valueOf())
      case 'unsendable':
        throw unsendable
    }
  }

  /** The own enumerable properties of an instance; what its class adds by inheritance stays here. */
  properties(value: Record<string, unknown>): void {
    const keys = Object.keys(value)
    this.counted(0x80, 0xde, keys.length)
    for (const key of keys) {
      this.string(key)
      this.write(value[key])
    }
  }

  json(value: { toJSON(key: string): unknown }): void {
    const json = value.toJSON('')
    // As in JSON, what comes out is not asked again.
    if (typeof json === 'object' && json !== null && sendableKind(json) === 'json') {
      this.properties(json as Record<string, unknown>)
    } else this.write(json)
  }

  date(ms: number): void {
    if (Number.isNaN(ms)) throw unsendable
    this.extended(extension.timestamp, timestampToBytes(ms))
  }

  items(type: number, items: readonly unknown[]): void {
    this.enter()
    const start = this.open(type)
    this.array(items)
    this.close(start)
  }

  error(error: Error): void {
    this.enter()
    const start = this.open(extension.error)
    const fields = errorFields(error)
    this.counted(0x80, 0xde, fields.length)
    for (const [name, value] of fields) {
      this.string(name)
      this.write(value)
    }
    this.close(start)
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

function flatten(map: ReadonlyMap<unknown, unknown>): unknown[] {
  const items: unknown[] = []
  for (const [key, value] of map) items.push(key, value)
  return items
}
