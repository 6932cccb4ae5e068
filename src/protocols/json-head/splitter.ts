import { grow } from '../../core/bytes/output.ts'
import { RpcError } from '../../core/error.ts'

/** What a {@link JsonSplitter} is bounded by. */
export interface JsonSplitterOptions {
  /** The largest message, in bytes. */
  readonly maxBytes: number
  /** How deep brackets may be nested, those of the message itself among them. */
  readonly maxDepth: number
  /** Whether a message may be an array. */
  readonly lists: boolean
}

/**
 * A message: the bytes between two positions, borrowed until this returns. With a problem it cannot be taken, and the
 * bytes are only the beginning of it.
 */
export type OnJsonMessage = (
  bytes: Uint8Array,
  range: { readonly start: number; readonly end: number },
  problem: RpcError | undefined,
) => void

const quote = 0x22
const openList = 0x5b
const backslash = 0x5c
const closeList = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

const noBytes = new Uint8Array(0)
// A message too large is read to its end without being kept, as long as it ends within this many times the limit.
const patience = 4
const headBytes = 256

/**
 * Cuts a stream of bytes into JSON objects (and arrays): whole ones as they are complete, however they were divided
 * into packets, with any white space between them. It looks at each byte once, and only at brackets and strings:
 * whether a message is well-formed in between is for the parser to say. One that is too large or nested too deep is
 * handed on as a problem, and the next one is read.
 */
export class JsonSplitter {
  readonly #options: JsonSplitterOptions
  readonly #onMessage: OnJsonMessage
  #kept: Uint8Array = noBytes
  #length = 0
  #depth = 0
  #inString = false
  #escaped = false
  #tooLarge = false
  #tooDeep = false

  constructor(options: JsonSplitterOptions, onMessage: OnJsonMessage) {
    this.#options = options
    this.#onMessage = onMessage
  }

  /** Whether a message has begun and is not complete. */
  get partial(): boolean {
    return this.#depth > 0
  }

  /** Bytes that are kept of it. */
  get held(): number {
    return this.#kept.length
  }

  /**
   * Takes in what has come.
   * @throws RpcError `invalid_argument` for what is not the beginning of a message, or a control character in a
   * string; `resource_exhausted` for a message that does not end. Nothing after it can be told apart any more.
   */
  push(chunk: Uint8Array): void {
    let start = 0
    let at = 0
    while (at < chunk.length) {
      if (this.#depth === 0) {
        at = this.#begin(chunk, at)
        if (at === chunk.length) return
        start = at
      }
      at = this.#scan(chunk, at)
      if (this.#depth > 0) break
      this.#finish(chunk, start, at)
      start = at
    }
    if (this.#depth > 0) this.#keep(chunk, start, at)
  }

  /** Forgets a message that has begun. */
  clear(): void {
    this.#reset()
  }

  // The position of the next message, or the end of the chunk.
  #begin(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue
      if (byte === openObject || (byte === openList && this.#options.lists)) return at
      const wanted = this.#options.lists ? 'a JSON object or array' : 'a JSON object'
      throw new RpcError('invalid_argument', `${wanted} should begin where there is ${showByte(byte)}`)
    }
    return chunk.length
  }

  // Goes on until the message is complete (the depth is 0) or the chunk is at its end; returns how far it came.
  #scan(chunk: Uint8Array, from: number): number {
    const { maxDepth } = this.#options
    let at = from
    while (at < chunk.length) {
      const byte = chunk[at++] as number
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false
        else if (byte === quote) this.#inString = false
        else if (byte === backslash) this.#escaped = true
        else if (byte < 0x20) throw controlCharacter(byte)
      } else if (byte === quote) this.#inString = true
      else if (byte === openObject || byte === openList) {
        if (++this.#depth > maxDepth) this.#tooDeep = true
      } else if ((byte === closeObject || byte === closeList) && --this.#depth === 0) return at
    }
    return at
  }

  #keep(chunk: Uint8Array, start: number, end: number): void {
    const { maxBytes } = this.#options
    const length = this.#length + end - start
    if (length > maxBytes) {
      const told = this.#tooLarge
      this.#tooLarge = true
      const head = this.#head(chunk, start)
      this.#kept = noBytes
      if (!told) this.#onMessage(head, { start: 0, end: head.length }, this.#oversize())
      if (length > maxBytes * patience) throw endless(length)
    } else {
      if (length > this.#kept.length) this.#kept = grow(this.#kept, this.#length, length)
      this.#kept.set(chunk.subarray(start, end), this.#length)
    }
    this.#length = length
  }

  #finish(chunk: Uint8Array, start: number, end: number): void {
    const { maxBytes, maxDepth } = this.#options
    const length = this.#length + end - start
    if (length > maxBytes || this.#tooDeep) {
      const told = this.#tooLarge
      const problem = length > maxBytes ? this.#oversize() : tooDeep(maxDepth)
      const head = this.#head(chunk, start)
      this.#reset()
      if (!told) this.#onMessage(head, { start: 0, end: head.length }, problem)
      return
    }
    // Most messages come in one piece, and are read where they are.
    if (this.#length === 0) return this.#onMessage(chunk, { start, end }, undefined)
    this.#keep(chunk, start, end)
    const whole = this.#kept
    this.#reset()
    this.#onMessage(whole, { start: 0, end: length }, undefined)
  }

  // What a message begins with: enough to see whose it is.
  #head(chunk: Uint8Array, start: number): Uint8Array {
    if (this.#length === 0) return chunk.subarray(start, start + headBytes)
    return this.#kept.slice(0, Math.min(this.#length, headBytes))
  }

  #reset(): void {
    this.#kept = noBytes
    this.#length = 0
    this.#depth = 0
    this.#inString = false
    this.#escaped = false
    this.#tooLarge = false
    this.#tooDeep = false
  }

  #oversize(): RpcError {
    const { maxBytes } = this.#options
    return new RpcError(
      'resource_exhausted',
      `a message of more than the ${maxBytes} bytes that are allowed (limits.maxMessageBytes)`,
    )
  }
}

function tooDeep(maxDepth: number): RpcError {
  return new RpcError(
    'resource_exhausted',
    `a message nested deeper than ${maxDepth} levels (limits.maxDepth)`,
  )
}

function endless(length: number): RpcError {
  return new RpcError('resource_exhausted', `a message that has not ended after ${length} bytes`)
}

function controlCharacter(byte: number): RpcError {
  return new RpcError(
    'invalid_argument',
    `a string in JSON has the control character ${showByte(byte)} in it; escaped, it may`,
  )
}

function showByte(byte: number): string {
  return byte > 0x20 && byte < 0x7f
    ? `'${String.fromCharCode(byte)}'`
    : `byte 0x${byte.toString(16).padStart(2, '0')}`
}
