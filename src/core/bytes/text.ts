import { readUtf8, writeUtf8 } from '#platform'
import type { Output } from './output.ts'
import { type Reader, writeVarint } from './varint.ts'

/** A string as its length in UTF-8 bytes (varint), then those bytes. */
export function writeText(output: Output, text: string): void {
  // One pass over a short string is cheaper than measuring it first: the length is known once it is written.
  if (text.length < 0x2a) {
    output.ensure(1 + text.length * 3)
    const written = writeUtf8(output.bytes, text, output.at + 1)
    output.bytes[output.at] = written
    output.at += 1 + written
    return
  }
  const length = utf8Length(text)
  writeVarint(output, length)
  output.ensure(length)
  output.at += writeUtf8(output.bytes, text, output.at)
}

/** Reads what {@link writeText} wrote. Ill-formed UTF-8 becomes U+FFFD, as everywhere on the platform. */
export function readText(reader: Reader): string {
  const length = reader.varint()
  const start = reader.skip(length)
  return readUtf8(reader.bytes, start, start + length)
}

/** The number of UTF-8 bytes of a string; a lone surrogate counts as the three bytes of U+FFFD. */
export function utf8Length(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) length += 1
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) {
      length += 2
      i++
    } else length += 2
  }
  return length
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000
}
