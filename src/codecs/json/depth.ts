const quote = 0x22
const backslash = 0x5c

/**
 * How deep the arrays and objects of a JSON text are nested, found without recursion and before it is parsed:
 * `JSON.parse` itself knows no limit, and a million levels stop it for a second. It counts no further than `enough`.
 */
export function jsonDepth(bytes: Uint8Array, range: { start: number; end: number }, enough: number): number {
  const { start, end } = range
  let depth = 0
  let deepest = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    if (byte === quote) {
      i++
      while (i < end && bytes[i] !== quote) i += bytes[i] === backslash ? 2 : 1
    } else if (byte === 0x5b || byte === 0x7b) {
      depth++
      if (depth > deepest) deepest = depth
      if (deepest > enough) return deepest
    } else if (byte === 0x5d || byte === 0x7d) depth--
  }
  return deepest
}
