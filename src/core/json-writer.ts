import { errorFields } from './error-value.ts'
import type { RpcError } from './error.ts'
import { sendableKind } from './sendable.ts'
import { unsendable } from './unsendable.ts'

/** How one kind of JSON writes what is written differently by others. All that they return is JSON. */
export interface JsonWords {
  readonly comma: string
  readonly colon: string
  string(text: string): string
  number(value: number): string
  bigint(value: bigint): string
  bytes(value: Uint8Array): string
  /** A point in time, as ISO 8601 in UTC. */
  date(iso: string): string
  readonly undefined: string
  /** Whether properties that are undefined are left out. */
  readonly leavesOut: boolean
  map(value: ReadonlyMap<unknown, unknown>, writer: JsonWriter): string
  /** An object, from the text of its properties. */
  object(text: string, keys: readonly string[], writer: JsonWriter): string
  /** A Set, from the text of its items as a list. */
  set(text: string, writer: JsonWriter): string
  /** An Error, from the text of its fields as an object. */
  error(text: string, writer: JsonWriter): string
}

/** How much may be written. */
export interface JsonRoom {
  readonly maxDepth: number
  /** The longest text, in UTF-16 units. */
  readonly maxLength: number
  tooLarge(): RpcError
}

/**
 * Walks over a value and writes it: what travels, how deep and how long is the same in every kind of JSON. One for each
 * text. It throws `unsendable` at what cannot travel; `explainFailure` then finds out where that was.
 */
export class JsonWriter {
  readonly #words: JsonWords
  readonly #room: JsonRoom
  #left: number
  #depth = 0

  constructor(words: JsonWords, room: JsonRoom) {
    this.#words = words
    this.#room = room
    this.#left = room.maxLength
  }

  /** @throws `unsendable`; what `tooLarge` gives; and what the words or a getter throw. */
  write(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return this.#string(value)
      case 'number':
        return this.emit(this.#words.number(value))
      case 'boolean':
        return this.emit(value ? 'true' : 'false')
      case 'undefined':
        return this.emit(this.#words.undefined)
      case 'bigint':
        return this.emit(this.#words.bigint(value))
      case 'object':
        return value === null ? this.emit('null') : this.#object(value)
      default:
        throw unsendable
    }
  }

  /** Counts in what the words write themselves, and gives it back. */
  emit(text: string): string {
    this.#reserve(text.length)
    this.#left -= text.length
    return text
  }

  list(items: readonly unknown[]): string {
    const { comma } = this.#words
    const parts: string[] = []
    // By index: what an array has not is written too.
    for (let i = 0; i < items.length; i++) {
      parts.push(this.write(items[i]))
      this.emit(comma)
    }
    return `[${parts.join(comma)}]`
  }

  properties(keys: Iterable<string>, read: (key: string) => unknown): string {
    const { comma, colon, leavesOut } = this.#words
    const parts: string[] = []
    for (const key of keys) {
      const item = read(key)
      if (item === undefined && leavesOut) continue
      parts.push(this.#string(key) + colon + this.write(item))
      this.emit(colon + comma)
    }
    return `{${parts.join(comma)}}`
  }

  #reserve(length: number): void {
    if (length > this.#left) throw this.#room.tooLarge()
  }

  // What is far too long is not even looked at.
  #string(text: string): string {
    this.#reserve(text.length)
    return this.emit(this.#words.string(text))
  }

  #object(value: object): string {
    const kind = sendableKind(value)
    switch (kind) {
      case 'bytes':
        this.#reserve((value as Uint8Array).length)
        return this.emit(this.#words.bytes(value as Uint8Array))
      case 'date':
        if (Number.isNaN((value as Date).getTime())) throw unsendable
        return this.emit(this.#words.date((value as Date).toISOString()))
      case 'boxed':
        return this.write(value.valueOf())
      case 'unsendable':
        throw unsendable
      default:
        return this.#nested(value, kind)
    }
  }

  #nested(value: object, kind: 'array' | 'object' | 'map' | 'set' | 'error' | 'json'): string {
    if (++this.#depth > this.#room.maxDepth) throw unsendable
    const text = this.#contents(value, kind)
    this.#depth--
    return text
  }

  #contents(value: object, kind: 'array' | 'object' | 'map' | 'set' | 'error' | 'json'): string {
    const words = this.#words
    switch (kind) {
      case 'array':
        return this.list(value as readonly unknown[])
      case 'object': {
        const keys = Object.keys(value)
        const text = this.properties(keys, (key) => (value as Record<string, unknown>)[key])
        return words.object(text, keys, this)
      }
      case 'map':
        return words.map(value as ReadonlyMap<unknown, unknown>, this)
      case 'set':
        return words.set(this.list([...(value as ReadonlySet<unknown>)]), this)
      case 'error': {
        const fields = new Map(errorFields(value as Error))
        return words.error(
          this.properties(fields.keys(), (key) => fields.get(key)),
          this,
        )
      }
      case 'json': {
        const json = (value as { toJSON(key: string): unknown }).toJSON('')
        // As in JSON, what comes out is not asked again.
        const again = typeof json === 'object' && json !== null && sendableKind(json) === 'json'
        return again ? this.#contents(json, 'object') : this.write(json)
      }
    }
  }
}
