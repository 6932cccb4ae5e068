import type { Detect } from '../../core/detect.ts'

// With the names of its fields, the definition of a request is no shorter than this, and no longer.
const shortest = 0x10
const longest = 0x7f

/**
 * A connection begins with the definition of the header: its length, in one byte, and the negative id of the type. Ids
 * begin at 64, of which the negative is the byte 0x7f; those of all others take several bytes, of which the first says
 * how many. Neither is a character of any text.
 */
export const detectNetRpc: Detect = (head) => {
  const [length = shortest, id] = head
  if (length < shortest || length > longest) return 'no'
  if (id === undefined) return 'more'
  return id === 0x7f || id >= 0xf8 ? 'yes' : 'no'
}
