import { errorFields } from '../../core/error-value.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { sendableKind } from '../../core/sendable.ts'
import { unsendable } from '../../core/unsendable.ts'
import { toBase64 } from './base64.ts'

// Decimal is for reading, but turning long numbers into it and back takes more than time in proportion.
const maxDecimalHexDigits = 256

export function tooLarge({ maxMessageBytes }: Limits): RpcError {
  return new RpcError(
    'resource_exhausted',
    `the encoded value is larger than maxMessageBytes, ${maxMessageBytes}`,
  )
}

/** Writes JSON with our tagged objects for what JSON has not. */
export class Writer {
  readonly #limits: Limits
  #left: number
  #depth = 0

  constructor(limits: Limits) {
    this.#limits = limits
    this.#left = limits.maxMessageBytes
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
        return this.#emit('{"$undefined":true}')
      case 'bigint':
        return this.#emit(`{"$bigint":"${shownBigint(value)}"}`)
      case 'object':
        return value === null ? this.#emit('null') : this.#object(value)
      default:
        throw unsendable
    }
  }

  #emit(text: string): string {
    this.#left -= text.length
    if (this.#left < 0) throw tooLarge(this.#limits)
    return text
  }

  #text(text: string): string {
    if (text.length > this.#left) throw tooLarge(this.#limits)
    return this.#emit(JSON.stringify(text.toWellFormed()))
  }

  #number(value: number): string {
    if (Number.isFinite(value) && !Object.is(value, -0)) return this.#emit(String(value))
    return this.#emit(`{"$number":"${Object.is(value, -0) ? '-0' : value}"}`)
  }

  #object(value: object): string {
    const kind = sendableKind(value)
    switch (kind) {
      case 'bytes': {
        const bytes = value as Uint8Array
        if (bytes.length > this.#left) throw tooLarge(this.#limits)
        return this.#emit(`{"$bytes":"${toBase64(bytes)}"}`)
      }
      case 'date': {
        const date = value as Date
        if (Number.isNaN(date.getTime())) throw unsendable
        return this.#emit(`{"$date":"${date.toISOString()}"}`)
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
    if (++this.#depth > this.#limits.maxDepth) throw unsendable
    const text = this.#contents(value, kind)
    this.#depth--
    return text
  }

  #contents(value: object, kind: 'array' | 'object' | 'map' | 'set' | 'error' | 'json'): string {
    switch (kind) {
      case 'array':
        return this.#list(value as readonly unknown[])
      case 'object':
        return this.#properties(value as Record<string, unknown>)
      case 'map':
        return this.#emit('{"$map":}') && `{"$map":${this.#pairs(value as ReadonlyMap<unknown, unknown>)}}`
      case 'set':
        return this.#emit('{"$set":}') && `{"$set":${this.#list([...(value as ReadonlySet<unknown>)])}}`
      case 'error':
        return this.#emit('{"$error":}') && `{"$error":${this.#entries(errorFields(value as Error))}}`
      case 'json': {
        const json = (value as { toJSON(key: string): unknown }).toJSON('')
        // As in JSON, what comes out is not asked again.
        const again = typeof json === 'object' && json !== null && sendableKind(json) === 'json'
        return again ? this.#properties(json as Record<string, unknown>) : this.write(json)
      }
    }
  }

  #list(list: readonly unknown[]): string {
    const parts: string[] = []
    for (let i = 0; i < list.length; i++) parts.push(this.write(list[i]), this.#emit(','))
    parts.pop()
    return `[${parts.join('')}]`
  }

  #pairs(map: ReadonlyMap<unknown, unknown>): string {
    const parts: string[] = []
    for (const [key, value] of map) {
      parts.push(`[${this.write(key)},${this.write(value)}]`)
      this.#emit('[,],')
    }
    return `[${parts.join(',')}]`
  }

  #properties(object: Record<string, unknown>): string {
    const keys = Object.keys(object)
    const text = this.#entries(keys, object)
    if (keys.length !== 1 || keys[0]?.startsWith('$') !== true) return text
    this.#emit('{"$object":}')
    return `{"$object":${text}}`
  }

  #entries(
    entries: readonly (readonly [string, unknown])[] | readonly string[],
    object?: Record<string, unknown>,
  ): string {
    const parts: string[] = []
    for (const entry of entries) {
      const key = typeof entry === 'string' ? entry : entry[0]
      const value = typeof entry === 'string' ? object?.[entry] : entry[1]
      parts.push(`${this.#text(key)}:${this.write(value)}`)
      this.#emit(',:')
    }
    return `{${parts.join(',')}}`
  }
}

function shownBigint(value: bigint): string {
  const negative = value < 0n
  const hex = (negative ? -value : value).toString(16)
  return hex.length <= maxDecimalHexDigits ? value.toString() : `${negative ? '-' : ''}0x${hex}`
}
