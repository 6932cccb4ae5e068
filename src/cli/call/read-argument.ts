import { fromJson } from '../output/json.ts'

/**
 * An argument as it was typed: JSON where it is JSON, else a text. Whole numbers beyond what a number holds exactly are
 * bigints; `{"$date":"…"}` and the like are what they say.
 */
export function readArgument(text: string): unknown {
  if (/^-?(0|[1-9]\d*)$/.test(text) && !Number.isSafeInteger(Number(text))) return BigInt(text)
  // Only what begins like JSON: a long text need not be parsed to find out that it is one.
  if (!/^\s*(["[{\d-]|true|false|null)/.test(text)) return text
  try {
    return fromJson(text)
  } catch {
    return text
  }
}
