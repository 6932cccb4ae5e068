import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MemoryOutput } from '../core/bytes/output.ts'
import type { Codec } from '../core/codec.ts'
import { RpcError } from '../core/error.ts'
import { defaultLimits, type Limits } from '../core/limits.ts'

/** Two sessions that face each other, as a connection has them; definitions cross before the message. */
export function codecPair(codec: Codec, limits: Limits = defaultLimits) {
  const sender = codec.open(limits)
  const receiver = codec.open(limits)
  const encode = (value: unknown): Uint8Array => {
    const output = new MemoryOutput(8)
    sender.encode(value, output)
    const definitions = sender.takeDefinitions?.()
    if (definitions !== undefined) receiver.define?.(definitions, 0, definitions.length)
    return output.take()
  }
  const decode = (bytes: Uint8Array): unknown => receiver.decode(bytes, 0, bytes.length)
  return { sender, receiver, encode, decode, roundTrip: (value: unknown) => decode(encode(value)) }
}

/** Names that are nothing but names. */
export const names = [
  '__proto__',
  'constructor',
  'toString',
  'then',
  'hasOwnProperty',
  'toJSON',
  '$date',
  '$',
  '',
  'a',
  '0',
  'ü',
  '\0',
  '\u2028',
]

/** An object with exactly these own properties. */
export function own(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  }
  return object
}

const key = fc.oneof(fc.constantFrom(...names), fc.string({ unit: 'grapheme', maxLength: 12 }))
const leaf = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    false,
    0,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.bigInt({ min: -(2n ** 2000n), max: 2n ** 2000n }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'grapheme', minLength: 20, maxLength: 300 }),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 300 }),
)

/** Any value that travels. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    tie('list'),
    tie('object'),
    tie('map'),
    tie('set'),
    tie('error'),
  ),
  list: fc.array(tie('value'), { maxLength: 20 }),
  object: fc.uniqueArray(fc.tuple(key, tie('value')), { selector: ([name]) => name, maxLength: 20 }).map(own),
  map: fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 6 }).map((entries) => new Map(entries)),
  set: fc.array(tie('value'), { maxLength: 6 }).map((items) => new Set(items)),
  error: fc.oneof(
    fc
      .tuple(fc.string(), tie('value'))
      .map(([message, cause]) => new Error(message, cause === undefined ? {} : { cause })),
    fc
      .tuple(fc.string(), tie('value'))
      .map(([message, details]) => new RpcError('aborted', message, { details, reason: 'r' })),
  ),
})).value

/** Errors lose their stack on purpose; everything else must be as it was. */
export function comparable(value: unknown): unknown {
  if (value instanceof Error) {
    const { code, reason, details } = value as Partial<RpcError>
    const cause = RpcError.is(value) ? undefined : value.cause
    return ['error', value.name, value.message, code, reason, comparable(details), comparable(cause)]
  }
  if (Array.isArray(value)) return Array.from(value, comparable)
  if (value instanceof Map) return ['map', ...[...value].map(([k, v]) => [comparable(k), comparable(v)])]
  if (value instanceof Set) return ['set', ...[...value].map(comparable)]
  if (value instanceof Uint8Array || value instanceof Date || typeof value !== 'object' || value === null)
    return value
  return ['object', ...Object.keys(value).map((k) => [k, comparable((value as Record<string, unknown>)[k])])]
}

/** Asserts that a function throws an RpcError of a code, with a message. */
export function assertRpcError(fn: () => unknown, code: string | RegExp, message?: RegExp | string): void {
  assert.throws(fn, (error) => {
    assert.ok(RpcError.is(error), `not an RpcError: ${String(error)}`)
    assert.match(error.code, typeof code === 'string' ? new RegExp(`^${code}$`) : code)
    if (typeof message === 'string') assert.equal(error.message, message)
    else if (message !== undefined) assert.match(error.message, message)
    return true
  })
}
