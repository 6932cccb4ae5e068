import { grow } from '../../core/bytes/output.ts'
import { RpcError } from '../../core/error.ts'

/** Where the content of a field stands. */
export interface Span {
  readonly start: number
  readonly end: number
}

// Of more different fields than any message has, the rest is not noted.
const maxNoted = 256
const firstCapacity = 512

/**
 * Collects the bytes of one message that has no frame around it, and tells when they end between two of its outermost
 * fields: only there they can be all. Looks at each field once, however the bytes are cut.
 */
export class Incoming {
  readonly #maxBytes: number
  readonly #maxDepth: number
  #bytes: Uint8Array = new Uint8Array(0)
  #length = 0
  /** Up to here whole fields have been seen. */
  #at = 0
  #openGroups = 0
  readonly #spans = new Map<number, Span>()

  constructor(limits: { readonly maxMessageBytes: number; readonly maxDepth: number }) {
    this.#maxBytes = limits.maxMessageBytes
    this.#maxDepth = limits.maxDepth
  }

  /** What has come so far. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Bytes that are kept. */
  get held(): number {
    return this.#bytes.length
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** Whether the message may be over here. */
  get isWhole(): boolean {
    return this.#length > 0 && this.#at === this.#length && this.#openGroups === 0
  }

  /** The content of the last field of this number, if it has come as a whole and is of length-delimited kind. */
  span(number: number): Span | undefined {
    return this.#spans.get(number)
  }

  /**
   * Takes in bytes.
   * @throws RpcError for what cannot become a message, or not one within the limits.
   */
  push(chunk: Uint8Array): void {
    const length = this.#length + chunk.length
    if (length > this.#maxBytes) throw tooLarge(length, this.#maxBytes)
    if (length > this.#bytes.length)
      this.#bytes = grow(this.#bytes, this.#length, Math.max(length, firstCapacity))
    this.#bytes.set(chunk, this.#length)
    this.#length = length
    while (this.#at < this.#length && this.#passField());
  }

  /** Gives up what has come. */
  clear(): void {
    this.#bytes = new Uint8Array(0)
    this.#length = 0
    this.#at = 0
    this.#spans.clear()
  }

  /** Steps over one field; false while it is not all there. */
  #passField(): boolean {
    const tag = this.#varint(this.#at)
    if (tag === undefined) return false
    const { next } = tag
    switch (tag.value % 8) {
      case 0: {
        const value = this.#varint(next)
        return value !== undefined && this.#passTo(value.next)
      }
      case 1:
        return this.#passTo(next + 8)
      case 2: {
        const length = this.#varint(next)
        if (length === undefined) return false
        const end = length.next + length.value
        if (end > this.#maxBytes) throw tooLarge(end, this.#maxBytes)
        if (!this.#passTo(end)) return false
        const number = Math.floor(tag.value / 8)
        if (this.#spans.size < maxNoted || this.#spans.has(number))
          this.#spans.set(number, { start: length.next, end })
        return true
      }
      case 3:
        if (++this.#openGroups > this.#maxDepth)
          throw new RpcError(
            'resource_exhausted',
            `the message is nested deeper than ${this.#maxDepth} levels`,
          )
        return this.#passTo(next)
      case 4:
        if (--this.#openGroups < 0) throw malformed('a group ends that did not begin')
        return this.#passTo(next)
      case 5:
        return this.#passTo(next + 4)
      default:
        throw malformed('it has a value of a kind that protobuf does not have')
    }
  }

  #passTo(at: number): boolean {
    if (at > this.#length) return false
    this.#at = at
    return true
  }

  #varint(start: number): { readonly value: number; readonly next: number } | undefined {
    let value = 0
    let factor = 1
    for (let at = start; at < this.#length; at++) {
      const byte = this.#bytes[at] as number
      value += (byte & 0x7f) * factor
      factor *= 0x80
      if (byte < 0x80) return { value, next: at + 1 }
      if (at - start === 9) throw malformed('it has a varint of more than ten bytes')
    }
    return undefined
  }
}

function malformed(why: string): RpcError {
  return new RpcError('invalid_argument', `the message is no protobuf: ${why}`, { phase: 'read' })
}

function tooLarge(length: number, max: number): RpcError {
  return new RpcError(
    'resource_exhausted',
    `the message has ${length} bytes or more, at most ${max} are allowed (limits.maxMessageBytes)`,
    { phase: 'read' },
  )
}
