/**
 * A hash of 32 bits in which similar texts differ as much as any: MurmurHash3_x86_32 (Austin Appleton, public domain)
 * over the text's UTF-16 code units, low byte first.
 */
export function hashText(text: string, seed: number): number {
  let hash = seed | 0
  const pairs = text.length - (text.length % 2)
  for (let i = 0; i < pairs; i += 2) {
    hash ^= scramble(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16))
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  if (pairs < text.length) hash ^= scramble(text.charCodeAt(pairs))
  return mix(hash ^ (text.length * 2))
}

/** Spreads 32 bits over 32 bits, one to one: the end of MurmurHash3. */
export function mix(bits: number): number {
  let mixed = bits ^ (bits >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

function scramble(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51)
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593)
}
