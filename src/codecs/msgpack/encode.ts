import type { Output } from '../../core/bytes/output.ts'
import { errorFields } from '../../core/error-value.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { hasToJson, isAsyncIterable, sendableKind } from '../../core/sendable.ts'
import { explainFailure, unsendable } from '../../core/unsendable.ts'
import { bigintToBytes } from './bigint.ts'
import { extension } from './format.ts'
import { PieceWriter } from './pieces.ts'
import type { ShapeNode, Shapes } from './shapes.ts'
import { timestampToBytes } from './timestamp.ts'

const objectPrototype = Object.prototype
const { asyncIterator } = Symbol

/** Writes whole values. */
export class Encoder extends PieceWriter {
  readonly maxDepth: number
  readonly shapes: Shapes | undefined
  depth = 0
  /** Whether plain objects inherit enumerable properties, which somebody put into Object.prototype. */
  inherits: boolean | undefined

  constructor(limits: Limits, shapes: Shapes | undefined) {
    super(limits.maxMessageBytes)
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
    this.begin(output)
    this.depth = 0
    this.inherits = undefined
    this.shapes?.settle()
    try {
      this.write(value)
      if (this.at > this.ceiling) throw this.tooLarge()
      output.at = this.at
    } catch (thrown) {
      output.at = start
      throw explainFailure(thrown, value, this.maxDepth)
    } finally {
      this.output = undefined
    }
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

  /**
   * An object without a class. `for in` and reading by its key is the fastest way through one, at half the cost of
   * asking for each key whether it is its own; so that is asked of Object.prototype, once a message.
   */
  plain(value: Record<string, unknown>): void {
    this.inherits ??= hasEnumerable(objectPrototype)
    if (this.inherits) return this.special(value)
    this.enter()
    const { shapes } = this
    let node: ShapeNode | undefined = shapes?.root
    let count = 0
    for (const key in value) {
      if (key === 'toJSON' && hasToJson(value)) return this.json(value)
      if (node !== undefined) node = shapes?.next(node, key)
      count++
    }
    if (value[asyncIterator as never] !== undefined && isAsyncIterable(value)) throw unsendable
    const record = node === undefined || count === 0 ? -1 : (shapes as Shapes).see(node)
    if (record !== -1) {
      this.record(record)
      for (const key in value) {
        this.write(value[key])
        count--
      }
    } else {
      this.counted(0x80, 0xde, count)
      for (const key in value) {
        this.string(key)
        this.write(value[key])
        count--
      }
    }
    if (count !== 0) throw unsendable
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
    const { shapes } = this
    let node: ShapeNode | undefined = shapes?.root
    for (const key of keys) if (node !== undefined) node = shapes?.next(node, key)
    const record = node === undefined || keys.length === 0 ? -1 : (shapes as Shapes).see(node)
    if (record === -1) this.counted(0x80, 0xde, keys.length)
    else this.record(record)
    for (const key of keys) {
      if (record === -1) this.string(key)
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
}

function hasEnumerable(object: object): boolean {
  for (const _key in object) return true
  return false
}

function flatten(map: ReadonlyMap<unknown, unknown>): unknown[] {
  const items: unknown[] = []
  for (const [key, value] of map) items.push(key, value)
  return items
}
