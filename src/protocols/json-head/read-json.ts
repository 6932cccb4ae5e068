import { readStrictUtf8 } from '../../core/bytes/strict-utf8.ts'
import { RpcError } from '../../core/error.ts'
import { SlowParser } from './slow-parser.ts'

/** `python`: also takes `NaN`, `Infinity` and `-Infinity`, which Python writes and JSON has not. */
export type JsonReading = 'json' | 'python'

/**
 * Reads one JSON value. Integers beyond 2^53 become bigints, so that no digit is lost. Of a key that comes twice the
 * last value counts. Nesting is not bounded here: {@link JsonSplitter} has done that.
 * @throws RpcError `invalid_argument` for what is no JSON or no UTF-8, or an integer of more than 4,300 digits.
 */
export function readJson(
  bytes: Uint8Array,
  range: { readonly start: number; readonly end: number },
  reading: JsonReading = 'json',
): unknown {
  return parseJson(readStrictUtf8(bytes, range.start, range.end), reading)
}

/** The same for text. */
export function parseJson(text: string, reading: JsonReading = 'json'): unknown {
  // Numbers that a double cannot hold have at least 16 digits.
  if (/\d{16}/.test(text)) return new SlowParser(text, reading).parse()
  try {
    return JSON.parse(text)
  } catch (cause) {
    if (reading === 'python' && /NaN|Infinity/.test(text)) return new SlowParser(text, reading).parse()
    const problem = cause instanceof Error ? cause.message.slice(0, 200) : 'unknown'
    throw new RpcError('invalid_argument', `the message is no valid JSON: ${problem}`, { cause })
  }
}

/** Whether a value that was read is an object. Ask it for members with {@link member}. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member of an object that was read; undefined where it has none of its own. */
export function member(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}
