import { toBase64 } from '../../core/bytes/base64.ts'
import { RpcError } from '../../core/error.ts'
import { type JsonWords, JsonWriter } from '../../core/json-writer.ts'
import { explainFailure } from '../../core/unsendable.ts'

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
export function writeJson(value: unknown, { style, maxLength, maxDepth }: JsonWriting): string {
  const room = { maxDepth, maxLength, tooLarge: () => tooLarge(maxLength) }
  try {
    return new JsonWriter(styles[style], room).write(value)
  } catch (thrown) {
    throw explainFailure(thrown, value, maxDepth)
  }
}

const compact: JsonWords = {
  comma: ',',
  colon: ':',
  string: (text) => JSON.stringify(text),
  number(value) {
    if (Number.isFinite(value)) return String(value)
    throw new RpcError(
      'invalid_argument',
      `${value} is a number that JSON has not; send null or a text for it`,
    )
  },
  bigint: digits,
  bytes: (value) => `"${toBase64(value)}"`,
  date: (iso) => `"${iso}"`,
  undefined: 'null',
  leavesOut: true,
  map(value, writer) {
    const named = byName(value)
    return writer.properties(named.keys(), (key) => named.get(key))
  },
  object: (text) => text,
  set: (text) => text,
  error: (text) => text,
}

const styles: Readonly<Record<JsonStyle, JsonWords>> = {
  compact,
  python: {
    ...compact,
    comma: ', ',
    colon: ': ',
    string: (text) => JSON.stringify(text).replace(/[\u007f-\uffff]/g, escape),
    number: String,
  },
}

const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

function tooLarge(maxLength: number): RpcError {
  return new RpcError(
    'resource_exhausted',
    `the message is larger than the ${maxLength} bytes that are allowed (limits.maxMessageBytes)`,
  )
}

// What decimal digits can be written, and read by Python, in no more than their share of time.
const maxHexDigits = 3570

function digits(value: bigint): string {
  if (value.toString(16).length > maxHexDigits)
    throw new RpcError('invalid_argument', 'a bigint of more than 4,300 digits cannot travel')
  return value.toString()
}

function byName(map: ReadonlyMap<unknown, unknown>): ReadonlyMap<string, unknown> {
  const named = new Map<string, unknown>()
  for (const [key, value] of map) {
    if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint')
      throw new RpcError(
        'invalid_argument',
        'a Map travels as a JSON object, and its keys must be texts or numbers',
      )
    named.set(String(key), value)
  }
  return named
}
