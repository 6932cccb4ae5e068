import { grow } from '../../core/bytes/output.ts'
import { RpcError } from '../../core/error.ts'

const maxBytes = 8192

/** The head of an HTTP message, of which bytes come in pieces; its lines may end in bare newlines. */
export class HeadCollector {
  #bytes = new Uint8Array(256)
  #length = 0

  /**
   * Takes in bytes; once the head is whole, gives its lines and the bytes behind it.
   * @throws RpcError `resource_exhausted` for one of more than 8 KiB.
   */
  push(chunk: Uint8Array): { readonly lines: readonly string[]; readonly rest: Uint8Array } | undefined {
    const from = Math.max(0, this.#length - 3)
    const needed = this.#length + chunk.length
    if (needed > this.#bytes.length) this.#bytes = new Uint8Array(grow(this.#bytes, this.#length, needed))
    this.#bytes.set(chunk, this.#length)
    this.#length = needed
    const end = findEnd(this.#bytes, from, needed)
    if (end === 0) {
      if (needed <= maxBytes) return undefined
      throw new RpcError('resource_exhausted', `the head of an HTTP message is longer than ${maxBytes} bytes`)
    }
    const lines = new TextDecoder('latin1').decode(this.#bytes.subarray(0, end)).trimEnd().split(/\r?\n/)
    return { lines, rest: this.#bytes.slice(end, needed) }
  }
}

// Behind the empty line; 0 where there is none yet.
function findEnd(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    if (bytes[at] !== 0x0a) continue
    if (bytes[at + 1] === 0x0a && at + 1 < end) return at + 2
    if (bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a && at + 2 < end) return at + 3
  }
  return 0
}
