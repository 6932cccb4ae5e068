import { readUtf8 } from '#platform'
import { RpcError } from '../error.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads UTF-8 between two positions and refuses what is none.
 * @throws RpcError `invalid_argument` for ill-formed UTF-8.
 */
export function readStrictUtf8(bytes: Uint8Array, start: number, end: number): string {
  const text = readUtf8(bytes, start, end)
  // Only text with the replacement character in it can have been ill-formed; few texts have, so few are read twice.
  if (!text.includes('\ufffd')) return text
  try {
    return strict.decode(bytes.subarray(start, end))
  } catch {
    throw new RpcError('invalid_argument', 'a string is not well-formed UTF-8')
  }
}
