import { fromBase64 } from '../../core/bytes/base64.ts'
import { refuseCollisions } from '../../core/collisions.ts'
import { errorFromFields } from '../../core/error-value.ts'
import { RpcError } from '../../core/error.ts'

/** Puts our values in the place of their tagged objects, in what `JSON.parse` gave; arrays and objects stay the same. */
export function revive(value: unknown, depthLeft: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depthLeft === 0)
    throw new RpcError('resource_exhausted', 'the message is nested deeper than maxDepth allows')
  if (Array.isArray(value)) return reviveList(value, depthLeft)
  const keys = Object.keys(value)
  const tag = keys.length === 1 ? (keys[0] as string) : ''
  const object = value as Record<string, unknown>
  if (tag.startsWith('$')) return reviveTagged(tag, object[tag], depthLeft)
  return reviveObject(object, keys, depthLeft)
}

function reviveList(list: unknown[], depthLeft: number): unknown[] {
  for (let i = 0; i < list.length; i++) list[i] = revive(list[i], depthLeft - 1)
  return list
}

function reviveObject(
  object: Record<string, unknown>,
  keys: readonly string[],
  depthLeft: number,
): Record<string, unknown> {
  for (const key of keys) {
    const before = object[key]
    const after = revive(before, depthLeft - 1)
    // Nothing is assigned to a name such as `__proto__`: defining it cannot reach a prototype.
    if (after !== before)
      Object.defineProperty(object, key, {
        value: after,
        writable: true,
        enumerable: true,
        configurable: true,
      })
  }
  return object
}

function reviveTagged(tag: string, value: unknown, depthLeft: number): unknown {
  switch (tag) {
    case '$date':
      return reviveDate(value)
    case '$bytes':
      return reviveBytes(value)
    case '$bigint':
      return reviveBigint(value)
    case '$undefined':
      if (value === true) return undefined
      break
    case '$number':
      return reviveNumber(value)
    case '$map':
      return reviveMap(value, depthLeft)
    case '$set':
      if (Array.isArray(value)) return reviveSet(reviveList(value, depthLeft))
      break
    case '$error':
      return errorFromFields(reviveFields(value, tag, depthLeft))
    case '$object':
      return reviveFields(value, tag, depthLeft)
    default:
      throw invalid(`the tag ${JSON.stringify(tag.slice(0, 64))} is not known`)
  }
  throw wrong(tag)
}

function reviveBytes(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw wrong('$bytes')
  const bytes = fromBase64(value)
  if (bytes === undefined) throw invalid('$bytes is no base64')
  return bytes
}

function reviveFields(value: unknown, tag: string, depthLeft: number): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(tag)
  return reviveObject(value as Record<string, unknown>, Object.keys(value), depthLeft)
}

function reviveSet(items: readonly unknown[]): Set<unknown> {
  refuseCollisions(items)
  return new Set(items)
}

function reviveMap(value: unknown, depthLeft: number): Map<unknown, unknown> {
  if (!Array.isArray(value)) throw wrong('$map')
  const entries: [unknown, unknown][] = []
  for (const pair of value as unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) throw wrong('$map')
    const entry = reviveList(pair, depthLeft)
    entries.push([entry[0], entry[1]])
  }
  refuseCollisions(entries.map(([key]) => key))
  return new Map(entries)
}

function reviveDate(value: unknown): Date {
  const date =
    typeof value === 'string' && /^[+-]?\d{4,6}-\d\d-\d\dT[\d:.]{5,18}(Z|[+-]\d\d:\d\d)$/.test(value)
      ? new Date(value)
      : undefined
  if (date === undefined || Number.isNaN(date.getTime())) throw wrong('$date')
  return date
}

function reviveBigint(value: unknown): bigint {
  if (typeof value !== 'string') throw wrong('$bigint')
  // Longer numbers come in hexadecimal, which is read in time proportional to its length.
  if (/^-?\d{1,400}$/.test(value)) return BigInt(value)
  if (/^0x[0-9a-f]+$/i.test(value)) return BigInt(value)
  if (/^-0x[0-9a-f]+$/i.test(value)) return -BigInt(value.slice(1))
  throw wrong('$bigint')
}

function reviveNumber(value: unknown): number {
  switch (value) {
    case 'NaN':
      return Number.NaN
    case 'Infinity':
      return Number.POSITIVE_INFINITY
    case '-Infinity':
      return Number.NEGATIVE_INFINITY
    case '-0':
      return -0
    default:
      throw wrong('$number')
  }
}

function wrong(tag: string): RpcError {
  return invalid(`${tag} has a value of the wrong type or form`)
}

function invalid(problem: string): RpcError {
  return new RpcError('invalid_argument', `the message is no valid tagged JSON: ${problem}`)
}
