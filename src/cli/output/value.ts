import { inspect } from 'node:util'
import { harmless } from './style.ts'

/** A value for people: a text as it is, anything else as JavaScript would write it. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return harmless(value)
  return inspect(value, {
    colors: process.stdout.hasColors?.() === true && process.env['NO_COLOR'] === undefined,
    depth: Number.POSITIVE_INFINITY,
    maxArrayLength: 1_000,
    maxStringLength: 100_000,
    breakLength: process.stdout.isTTY ? process.stdout.columns : 80,
  })
}

/** The same in one line of bounded length. */
export function showBriefly(value: unknown, maxChars = 60): string {
  const text =
    typeof value === 'string'
      ? harmless(value)
      : inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 4 })
  const line = text.replaceAll('\n', ' ')
  return line.length > maxChars ? `${line.slice(0, maxChars - 1)}…` : line
}
