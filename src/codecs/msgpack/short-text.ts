/** Up to this length making a string of its character codes beats the call into the platform (30 ns against 50). */
export const shortText = 15

const { fromCharCode } = String

/** Reads ASCII of up to {@link shortText} bytes; undefined where it is not ASCII. */
export function readShortText(bytes: Uint8Array, start: number, length: number): string | undefined {
  if (length < 8) return readUpTo7(bytes, start, length)
  const a = bytes[start] as number
  const b = bytes[start + 1] as number
  const c = bytes[start + 2] as number
  const d = bytes[start + 3] as number
  const e = bytes[start + 4] as number
  const f = bytes[start + 5] as number
  const g = bytes[start + 6] as number
  const h = bytes[start + 7] as number
  if ((a | b | c | d | e | f | g | h) >= 0x80) return undefined
  const first = fromCharCode(a, b, c, d, e, f, g, h)
  if (length === 8) return first
  const rest = readUpTo7(bytes, start + 8, length - 8)
  return rest === undefined ? undefined : first + rest
}

// One call with all codes makes one string; adding them one by one would make one for each.
function readUpTo7(bytes: Uint8Array, start: number, length: number): string | undefined {
  if (length === 0) return ''
  const a = bytes[start] as number
  if (length === 1) return a < 0x80 ? fromCharCode(a) : undefined
  const b = bytes[start + 1] as number
  if (length === 2) return (a | b) < 0x80 ? fromCharCode(a, b) : undefined
  const c = bytes[start + 2] as number
  if (length === 3) return (a | b | c) < 0x80 ? fromCharCode(a, b, c) : undefined
  const d = bytes[start + 3] as number
  if (length === 4) return (a | b | c | d) < 0x80 ? fromCharCode(a, b, c, d) : undefined
  const e = bytes[start + 4] as number
  if (length === 5) return (a | b | c | d | e) < 0x80 ? fromCharCode(a, b, c, d, e) : undefined
  const f = bytes[start + 5] as number
  if (length === 6) return (a | b | c | d | e | f) < 0x80 ? fromCharCode(a, b, c, d, e, f) : undefined
  const g = bytes[start + 6] as number
  return (a | b | c | d | e | f | g) < 0x80 ? fromCharCode(a, b, c, d, e, f, g) : undefined
}
