import { toBase64 } from '../../core/bytes/base64.ts'
import { RpcError } from '../../core/error.ts'
import { type JsonWords, JsonWriter } from '../../core/json-writer.ts'
import type { Limits } from '../../core/limits.ts'

// Decimal is for reading, but turning long numbers into it and back takes more than time in proportion.
const maxDecimalHexDigits = 256

export function tooLarge({ maxMessageBytes }: Limits): RpcError {
  return new RpcError(
    'resource_exhausted',
    `the encoded value is larger than maxMessageBytes, ${maxMessageBytes}`,
  )
}

/** Writes JSON with our tagged objects for what JSON has not. */
export function writeTagged(value: unknown, limits: Limits): string {
  const { maxDepth, maxMessageBytes: maxLength } = limits
  return new JsonWriter(words, { maxDepth, maxLength, tooLarge: () => tooLarge(limits) }).write(value)
}

const words: JsonWords = {
  comma: ',',
  colon: ':',
  string: (text) => JSON.stringify(text.toWellFormed()),
  number: (value) =>
    Number.isFinite(value) && !Object.is(value, -0)
      ? String(value)
      : `{"$number":"${Object.is(value, -0) ? '-0' : value}"}`,
  bigint: (value) => `{"$bigint":"${shownBigint(value)}"}`,
  bytes: (value) => `{"$bytes":"${toBase64(value)}"}`,
  date: (iso) => `{"$date":"${iso}"}`,
  undefined: '{"$undefined":true}',
  leavesOut: false,
  map: (value, writer) => tagged('$map', pairs(value, writer), writer),
  // An object with one property that begins so looks like one of ours.
  object: (text, keys, writer) =>
    keys.length === 1 && keys[0]?.startsWith('$') === true ? tagged('$object', text, writer) : text,
  set: (text, writer) => tagged('$set', text, writer),
  error: (text, writer) => tagged('$error', text, writer),
}

function tagged(tag: string, text: string, writer: JsonWriter): string {
  return `${writer.emit(`{"${tag}":`)}${text}${writer.emit('}')}`
}

function pairs(map: ReadonlyMap<unknown, unknown>, writer: JsonWriter): string {
  const parts: string[] = []
  for (const [key, value] of map) {
    parts.push(`[${writer.write(key)},${writer.write(value)}]`)
    writer.emit('[,],')
  }
  return `[${parts.join(',')}]`
}

function shownBigint(value: bigint): string {
  const negative = value < 0n
  const hex = (negative ? -value : value).toString(16)
  return hex.length <= maxDecimalHexDigits ? value.toString() : `${negative ? '-' : ''}0x${hex}`
}
