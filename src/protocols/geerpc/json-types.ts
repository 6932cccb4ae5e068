import { type ConcreteType, gob, resolveType } from '../../codecs/gob/index.ts'
import { fromBase64 } from '../../core/bytes/base64.ts'
import { RpcError } from '../../core/error.ts'

// A method's Go types are declared once, and count in JSON as in gob: names of ours for those of Go, bytes for base64,
// Maps for objects, Dates for their text, and zero for what is not there.

/**
 * What Go's JSON says, as a value of this type; by Go's rules: names of fields in any case, unknown ones passed over.
 * @throws RpcError `invalid_argument` that names the path to what is not of the type.
 */
export function fromGoJson(value: unknown, given: gob.GobType, path = '$'): unknown {
  const { type, nilable } = resolveType(given)
  if (value === null || value === undefined) return nilable ? null : zero(type, path)
  switch (type.kind) {
    case 'bool':
      return checked(value, typeof value === 'boolean', path, 'true or false')
    case 'string':
      return checked(value, typeof value === 'string', path, 'a text')
    case 'int':
    case 'uint':
      return checked(value, isInteger(value, type.kind, type.wide ?? false), path, 'an integer that fits')
    case 'float':
      if (typeof value === 'bigint') return Number(value)
      return checked(value, typeof value === 'number', path, 'a number')
    case 'bytes':
      return readBytes(value, path)
    case 'slice':
    case 'array':
      if (!Array.isArray(value)) throw wrong(path, 'a list')
      return value.map((item: unknown, at) => fromGoJson(item, type.element, `${path}[${at}]`))
    case 'map':
      return readMap(value, type, path)
    case 'struct': {
      if (!isRecord(value)) throw wrong(path, 'an object')
      const members = fieldsOf(value)
      return Object.fromEntries(
        type.fields.map(({ property, name, type: field }) => [
          property,
          fromGoJson(members(name), field, `${path}.${name}`),
        ]),
      )
    }
    default:
      return type === gob.time ? readTime(value, path) : value
  }
}

/**
 * The value that is written for one of this type; what does not fit is left as it is, for the peer to judge.
 * @throws RpcError `invalid_argument` for one that is nested too deep.
 */
export function toGoJson(value: unknown, given: gob.GobType, depth: number): unknown {
  if (value === null || value === undefined) return value
  if (depth <= 0)
    throw new RpcError('invalid_argument', 'the value is nested too deep (a cycle cannot travel)')
  const { type } = resolveType(given)
  switch (type.kind) {
    case 'slice':
    case 'array':
      return Array.isArray(value) ? value.map((item) => toGoJson(item, type.element, depth - 1)) : value
    case 'map':
      if (!(value instanceof Map)) return value
      return new Map(Array.from(value, ([key, item]) => [key, toGoJson(item, type.element, depth - 1)]))
    case 'struct':
      if (!isRecord(value)) return value
      return Object.fromEntries(
        type.fields
          .filter(({ property }) => Object.hasOwn(value, property))
          .map(({ property, name, type: field }) => [name, toGoJson(value[property], field, depth - 1)]),
      )
    default:
      return value
  }
}

function zero(type: ConcreteType, path: string): unknown {
  switch (type.kind) {
    case 'bool':
      return false
    case 'int':
    case 'uint':
    case 'float':
      return 0
    case 'string':
      return ''
    case 'bytes':
      return new Uint8Array(0)
    case 'slice':
      return []
    case 'array':
      return Array.from({ length: type.length }, () => fromGoJson(undefined, type.element, path))
    case 'map':
      return new Map()
    case 'struct':
      return fromGoJson({}, type, path)
    default:
      return null
  }
}

function isInteger(value: unknown, kind: 'int' | 'uint', wide: boolean): boolean {
  if (
    kind === 'uint' &&
    ((typeof value === 'number' && value < 0) || (typeof value === 'bigint' && value < 0n))
  )
    return false
  return (
    Number.isSafeInteger(value) || (wide && typeof value === 'bigint' && BigInt.asIntN(65, value) === value)
  )
}

function readBytes(value: unknown, path: string): Uint8Array {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined
  if (bytes === undefined) throw wrong(path, 'bytes in base64')
  return bytes
}

function readTime(value: unknown, path: string): Date {
  const date = new Date(typeof value === 'string' ? value : Number.NaN)
  if (Number.isNaN(date.getTime())) throw wrong(path, 'a time, as 2006-01-02T15:04:05Z')
  return date
}

function readMap(value: unknown, type: ConcreteType & { kind: 'map' }, path: string): Map<unknown, unknown> {
  if (!isRecord(value)) throw wrong(path, 'an object')
  const { kind } = resolveType(type.key).type
  const entries = Object.entries(value).map(([key, item]): [unknown, unknown] => [
    kind === 'int' || kind === 'uint' ? readKey(key, path) : key,
    fromGoJson(item, type.element, `${path}[${JSON.stringify(key.slice(0, 40))}]`),
  ])
  return new Map(entries)
}

function readKey(key: string, path: string): number | bigint {
  if (!/^-?\d{1,20}$/.test(key)) throw wrong(path, 'an object whose keys are integers')
  const number = Number(key)
  return Number.isSafeInteger(number) ? number : BigInt(key)
}

// The exact name goes before one in other letters, as with Go.
function fieldsOf(value: Readonly<Record<string, unknown>>): (name: string) => unknown {
  let folded: Map<string, unknown> | undefined
  return (name) => {
    if (Object.hasOwn(value, name)) return value[name]
    folded ??= new Map(Object.entries(value).map(([key, member]) => [key.toLowerCase(), member]))
    return folded.get(name.toLowerCase())
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function checked(value: unknown, fits: boolean, path: string, wanted: string): unknown {
  if (fits) return value
  throw wrong(path, wanted)
}

function wrong(path: string, wanted: string): RpcError {
  return new RpcError('invalid_argument', `the JSON value at ${path.slice(0, 300)} should be ${wanted}`)
}
