import { readStrictUtf8 } from '../../core/bytes/strict-utf8.ts'

/** Longer names are not kept. */
export const maxCachedKey = 24
const slots = 1024

/**
 * Property names that were read lately, by their bytes: the same few come again and again, and a known one needs
 * neither decoding nor looking up. A slot holds the last name that fell into it.
 */
export class KeyCache {
  readonly #names: string[] = Array.from({ length: slots }, () => '')

  /** Reads a name of up to {@link maxCachedKey} bytes. */
  read(bytes: Uint8Array, start: number, length: number): string {
    let hash = length
    for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + (bytes[start + i] as number)) | 0
    const slot = (hash ^ (hash >>> 10)) & (slots - 1)
    const known = this.#names[slot] as string
    if (known.length === length) {
      // What is kept is ASCII, so a character is a byte.
      let i = 0
      while (i < length && known.charCodeAt(i) === bytes[start + i]) i++
      if (i === length) return known
    }
    return this.#add(slot, readStrictUtf8(bytes, start, start + length), length)
  }

  #add(slot: number, name: string, length: number): string {
    // A name of as many units as bytes is ASCII.
    if (name.length !== length) return name
    // As a property name the engine has it once; comparing it by identity is then enough.
    const kept = Object.keys({ [name]: 0 })[0] as string
    this.#names[slot] = kept
    return kept
  }
}
