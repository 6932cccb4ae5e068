const mostBytes = 32

/** The first bytes of a connection for a log line: as hexadecimal, and as text where they can be read. */
export function showBytes(bytes: Uint8Array): {
  readonly bytes: number
  readonly hex: string
  readonly text: string
} {
  let hex = ''
  let text = ''
  for (const byte of bytes.subarray(0, mostBytes)) {
    hex += (hex === '' ? '' : ' ') + byte.toString(16).padStart(2, '0')
    // Control characters could forge a log line or speak to a terminal.
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'
  }
  const more = bytes.length > mostBytes ? ' …' : ''
  return { bytes: bytes.length, hex: hex + more, text: text + more }
}
