import { fromJson } from '../output/json.ts'

/** How arguments are read. */
export interface ReadOptions {
  /**
   * For Go, where an integer is no float: `3.0` is a float all the same, as a Number object. Default false: then it is the
   * number 3.
   */
  readonly floats?: boolean
}

/**
 * An argument as it was typed: JSON where it is JSON, else a text. Whole numbers beyond what a number holds exactly are
 * bigints; `{"$date":"…"}` and the like are what they say.
 */
export function readArgument(text: string, { floats = false }: ReadOptions = {}): unknown {
  if (/^-?(0|[1-9]\d*)$/.test(text) && !Number.isSafeInteger(Number(text))) return BigInt(text)
  // Only what begins like JSON: a long text need not be parsed to find out that it is one.
  if (!/^\s*(["[{\d-]|true|false|null)/.test(text)) return text
  try {
    const value = fromJson(text)
    // What is tagged is read already, and none of it is JSON's own number.
    return floats && !text.includes('"$') && /\d[.e]/i.test(text) ? JSON.parse(text, keepFloat) : value
  } catch {
    return text
  }
}

function keepFloat(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const isFloat = typeof value === 'number' && Number.isInteger(value) && /[.e]/i.test(context?.source ?? '')
  return isFloat ? Object(value) : value
}
