import { RpcError } from '../../core/error.ts'

// Readers for data that a peer sent: nothing is known of its shape. Each says where the trouble is (`path`) and what
// would be right. Fields are own properties only, so that `__proto__` or `constructor` are names like any other.

/** One field of an object (or of a Map, as some codecs give); undefined where it is absent. */
export function readField(value: unknown, name: string, path: string): unknown {
  if (value instanceof Map) return value.get(name)
  if (!isRecord(value)) throw wrong(path, 'an object', value)
  return Object.hasOwn(value, name) ? value[name] : undefined
}

// What codecs give for an object. Bytes, dates and errors are objects too, and without fields would pass for empty ones.
function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Text without control characters (they could forge a line in a log), from 1 to `max` characters. */
export function readText(value: unknown, path: string, max: number): string {
  if (typeof value !== 'string' || value === '') throw wrong(path, 'a text that is not empty', value)
  if (value.length > max) throw invalid(path, `has ${value.length} characters, at most ${max} are allowed`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value)) throw invalid(path, 'has control characters')
  return value
}

/** The same, or undefined where there is nothing. */
export function readOptionalText(value: unknown, path: string, max: number): string | undefined {
  return value === undefined || value === null ? undefined : readText(value, path, max)
}

/** A number from `min` to `max`, whole if `whole` is set. */
export function readNumber(
  value: unknown,
  path: string,
  range: { min: number; max: number; whole: boolean },
): number {
  // Codecs give a bigint where another language wrote 64 bits.
  const number = typeof value === 'bigint' ? Number(value) : value
  if (typeof number !== 'number' || !(number >= range.min && number <= range.max)) {
    throw wrong(path, `a number from ${range.min} to ${range.max}`, value)
  }
  if (range.whole && !Number.isSafeInteger(number)) throw wrong(path, 'a whole number', value)
  return number
}

/** A port that can be dialled. It may be a text: configuration files give those to programs that do not mind. */
export function readPort(value: unknown, path: string): number {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value
  return readNumber(port, path, { min: 1, max: 65_535, whole: true })
}

/** A list of at most `max` items. */
export function readList(value: unknown, path: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(path, 'a list', value)
  if (value.length > max) throw invalid(path, `has ${value.length} items, at most ${max} are allowed`)
  return value
}

/** Pairs of texts, at most `maxBytes` together. The result is frozen and has no prototype. */
export function readPairs(value: unknown, path: string, maxBytes: number): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = Object.create(null)
  if (value === undefined || value === null) return Object.freeze(pairs)
  if (!isRecord(value) && !(value instanceof Map)) throw wrong(path, 'an object of texts', value)
  let room = maxBytes
  for (const [name, text] of value instanceof Map ? value : Object.entries(value)) {
    if (typeof name !== 'string') throw wrong(path, 'an object of texts', value)
    const shown = `${path}.${name.slice(0, 64)}`
    if (typeof text !== 'string') throw wrong(shown, 'a text', text)
    room -= byteLength(name) + byteLength(text)
    if (room < 0) throw invalid(path, `is larger than the ${maxBytes} bytes that are allowed`)
    pairs[name] = text
  }
  return Object.freeze(pairs)
}

/** An `invalid_argument` that names the field. */
export function invalid(path: string, what: string): RpcError {
  return new RpcError('invalid_argument', `${path} ${what}`, { details: { field: path } })
}

function wrong(path: string, expected: string, got: unknown): RpcError {
  return invalid(path, `should be ${expected}, got ${describe(got)}`)
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value === null || value === undefined || typeof value === 'boolean') return String(value)
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`
}

const encoder = new TextEncoder()

/** The bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length
}
