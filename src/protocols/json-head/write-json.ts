import { errorFields } from '../../core/error-value.ts'
import { RpcError } from '../../core/error.ts'
import { sendableKind } from '../../core/sendable.ts'
import { explainFailure, unsendable } from '../../core/unsendable.ts'
import { toBase64 } from './base64.ts'

/**
 * How JSON is written for a peer. `compact`: as most programs do; numbers that JSON has not are refused. `python`: as
 * Python's `json.dumps` does, with a space behind commas and colons, ASCII only, and `NaN` and `Infinity` by name.
 */
export type JsonStyle = 'compact' | 'python'

export interface JsonWriting {
  readonly style: JsonStyle
  /** The longest text, in UTF-16 units. */
  readonly maxLength: number
  readonly maxDepth: number
}

/**
 * Writes a value as the plain JSON that programs in other languages expect: a Date as ISO text, bytes as base64, a
 * bigint as digits, a Map as an object, a Set as an array, an Error as an object of its fields, `undefined` as null,
 * or not at all as a property.
 * @throws RpcError `invalid_argument` that names the path to what cannot travel, `resource_exhausted` if it is too long.
 */
export function writeJson(value: unknown, writing: JsonWriting): string {
  try {
    return new PlainWriter(writing).write(value)
  } catch (thrown) {
    throw explainFailure(thrown, value, writing.maxDepth)
  }
}

// What decimal digits can be written, and read by Python, in no more than their share of time.
const maxHexDigits = 3570

class PlainWriter {
  readonly #writing: JsonWriting
  readonly #python: boolean
  readonly #comma: string
  readonly #colon: string
  #left: number
  #depth = 0

  constructor(writing: JsonWriting) {
    this.#writing = writing
    this.#python = writing.style === 'python'
    this.#comma = this.#python ? ', ' : ','
    this.#colon = this.#python ? ': ' : ':'
    this.#left = writing.maxLength
  }

  write(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return this.#text(value)
      case 'number':
        return this.#number(value)
      case 'boolean':
        return this.#emit(value ? 'true' : 'false')
      case 'undefined':
        return this.#emit('null')
      case 'bigint':
        return this.#bigint(value)
      case 'object':
        return value === null ? this.#emit('null') : this.#object(value)
      case 'function':
      case 'symbol':
        throw unsendable
    }
  }

  #emit(text: string): string {
    this.#left -= text.length
    if (this.#left < 0) {
      throw new RpcError(
        'resource_exhausted',
        `the message is larger than the ${this.#writing.maxLength} bytes that are allowed (limits.maxMessageBytes)`,
      )
    }
    return text
  }

  #text(text: string): string {
    const written = JSON.stringify(text)
    return this.#emit(this.#python ? written.replace(/[\u007f-\uffff]/g, escape) : written)
  }

  #number(value: number): string {
    if (Number.isFinite(value)) return this.#emit(String(value))
    if (this.#python) return this.#emit(String(value))
    throw new RpcError(
      'invalid_argument',
      `${value} is a number that JSON has not; send null or a text for it`,
    )
  }

  #bigint(value: bigint): string {
    if (value.toString(16).length > maxHexDigits)
      throw new RpcError('invalid_argument', 'a bigint of more than 4,300 digits cannot travel')
    return this.#emit(value.toString())
  }

  #object(value: object): string {
    const kind = sendableKind(value)
    switch (kind) {
      case 'bytes':
        return this.#emit(`"${toBase64(value as Uint8Array)}"`)
      case 'date': {
        const date = value as Date
        if (Number.isNaN(date.getTime())) throw unsendable
        return this.#emit(`"${date.toISOString()}"`)
      }
      case 'boxed':
        return this.write(value.valueOf())
      case 'unsendable':
        throw unsendable
      default:
        return this.#nested(value, kind)
    }
  }

  #nested(value: object, kind: 'array' | 'object' | 'map' | 'set' | 'error' | 'json'): string {
    if (++this.#depth > this.#writing.maxDepth) throw unsendable
    const text = this.#contents(value, kind)
    this.#depth--
    return text
  }

  #contents(value: object, kind: 'array' | 'object' | 'map' | 'set' | 'error' | 'json'): string {
    switch (kind) {
      case 'array':
        return this.#list(value as readonly unknown[])
      case 'set':
        return this.#list([...(value as ReadonlySet<unknown>)])
      case 'object':
        return this.#properties(Object.keys(value), (key) => (value as Record<string, unknown>)[key])
      case 'map':
        return this.#map(value as ReadonlyMap<unknown, unknown>)
      case 'error': {
        const fields = new Map(errorFields(value as Error))
        return this.#properties([...fields.keys()], (key) => fields.get(key))
      }
      case 'json': {
        const json = (value as { toJSON(key: string): unknown }).toJSON('')
        // As in JSON, what comes out is not asked again.
        const again = typeof json === 'object' && json !== null && sendableKind(json) === 'json'
        return again ? this.#contents(json, 'object') : this.write(json)
      }
    }
  }

  #list(list: readonly unknown[]): string {
    const parts: string[] = []
    for (let i = 0; i < list.length; i++) {
      parts.push(this.write(list[i]))
      this.#emit(this.#comma)
    }
    return `[${parts.join(this.#comma)}]`
  }

  #map(map: ReadonlyMap<unknown, unknown>): string {
    const named = new Map<string, unknown>()
    for (const [key, value] of map) {
      if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint')
        throw new RpcError(
          'invalid_argument',
          'a Map travels as a JSON object, and its keys must be texts or numbers',
        )
      named.set(String(key), value)
    }
    return this.#properties([...named.keys()], (key) => named.get(key))
  }

  #properties(keys: readonly string[], read: (key: string) => unknown): string {
    const parts: string[] = []
    for (const key of keys) {
      const value = read(key)
      if (value === undefined) continue
      parts.push(this.#text(key) + this.#colon + this.write(value))
      this.#emit(this.#colon)
      this.#emit(this.#comma)
    }
    return `{${parts.join(this.#comma)}}`
  }
}

const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
