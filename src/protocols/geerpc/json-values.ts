import { MemoryOutput } from '../../core/bytes/output.ts'
import { RpcError } from '../../core/error.ts'

export interface JsonValuesOptions {
  /** The largest value, in bytes. */
  readonly maxBytes: number
  readonly maxDepth: number
}

/** Where a value stands in the bytes; with a problem, it should not be parsed. */
export interface JsonRange {
  readonly start: number
  readonly end: number
  readonly problem: RpcError | undefined
}

const quote = 0x22
const backslash = 0x5c

/**
 * Cuts a stream of bytes into JSON values of any kind, with white space between them or none. A number or a word ends
 * only where something else begins. Each byte is looked at once, and only brackets and strings matter: whether a value
 * is well-formed is for the parser to say.
 */
export class JsonValues {
  readonly #options: JsonValuesOptions
  readonly #store = new MemoryOutput(0)
  /** Where the value that is being read begins, and how far it has been looked at. */
  #start = 0
  #at = 0
  #depth = 0
  #inString = false
  #escaped = false
  #inWord = false
  #tooDeep = false
  #finished = false
  #broken: RpcError | undefined = undefined

  constructor(options: JsonValuesOptions) {
    this.#options = options
  }

  /** What the positions of a value refer to, until the next `push`. */
  get bytes(): Uint8Array {
    return this.#store.bytes
  }

  /** Whether a value has begun that is not all there. */
  get partial(): boolean {
    return this.#depth > 0 || this.#inString || this.#inWord
  }

  get broken(): RpcError | undefined {
    return this.#broken
  }

  push(chunk: Uint8Array): void {
    if (this.#broken !== undefined) return
    const store = this.#store
    if (this.#start > 0) {
      store.bytes.copyWithin(0, this.#start, store.at)
      store.at -= this.#start
      this.#at -= this.#start
      this.#start = 0
    }
    if (store.at === 0 && store.bytes.length > 0x10000) store.bytes = new Uint8Array(0)
    store.ensure(chunk.length)
    store.bytes.set(chunk, store.at)
    store.at += chunk.length
  }

  /** No more bytes come: a number at the very end is whole. */
  finish(): void {
    this.#finished = true
  }

  /**
   * The next whole value.
   * @throws RpcError for bytes that no value begins with, or a value that is too large: nothing after it can be read.
   */
  next(): JsonRange | undefined {
    if (this.#broken !== undefined) throw this.#broken
    const { bytes, at: length } = this.#store
    while (this.#at < length) {
      const byte = bytes[this.#at] as number
      if (!this.partial) {
        if (isSpace(byte)) {
          this.#start = ++this.#at
          continue
        }
        this.#begin(byte)
      } else if (this.#inWord && !isWord(byte)) return this.#whole()
      else this.#step(byte)
      this.#at++
      if (!this.partial) return this.#whole()
    }
    if (this.#inWord && this.#finished) return this.#whole()
    const size = length - this.#start
    if (size > this.#options.maxBytes)
      throw this.#break(
        'resource_exhausted',
        `a value is larger than the ${this.#options.maxBytes} bytes that are allowed`,
      )
    return undefined
  }

  /** What has not been read; it is forgotten here. */
  takeRest(): Uint8Array {
    const rest = this.#store.bytes.slice(this.#start, this.#store.at)
    this.#store.at = 0
    this.#start = 0
    this.#at = 0
    return rest
  }

  #begin(byte: number): void {
    if (byte === quote) this.#inString = true
    else if (isOpening(byte)) this.#depth = 1
    else if (isWord(byte)) this.#inWord = true
    else
      throw this.#break(
        'invalid_argument',
        `no JSON value begins with byte 0x${byte.toString(16).padStart(2, '0')}`,
      )
  }

  #step(byte: number): void {
    if (this.#inWord) return
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false
      else if (byte === backslash) this.#escaped = true
      else if (byte === quote) this.#inString = false
    } else if (byte === quote) this.#inString = true
    else if (isOpening(byte)) {
      if (++this.#depth > this.#options.maxDepth) this.#tooDeep = true
    } else if (isClosing(byte)) this.#depth--
  }

  #whole(): JsonRange {
    const range = { start: this.#start, end: this.#at }
    const { maxBytes, maxDepth } = this.#options
    let problem: RpcError | undefined
    if (range.end - range.start > maxBytes) problem = tooLarge(maxBytes)
    else if (this.#tooDeep)
      problem = new RpcError('invalid_argument', `a value is nested deeper than ${maxDepth} levels`)
    this.#start = this.#at
    this.#depth = 0
    this.#inWord = false
    this.#tooDeep = false
    return { ...range, problem }
  }

  #break(code: 'invalid_argument' | 'resource_exhausted', message: string): RpcError {
    this.#broken = new RpcError(code, message, { phase: 'read' })
    this.#store.bytes = new Uint8Array(0)
    this.#store.at = 0
    return this.#broken
  }
}

function tooLarge(maxBytes: number): RpcError {
  return new RpcError('resource_exhausted', `a value is larger than the ${maxBytes} bytes that are allowed`)
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function isOpening(byte: number): boolean {
  return byte === 0x5b || byte === 0x7b
}

function isClosing(byte: number): boolean {
  return byte === 0x5d || byte === 0x7d
}

// Numbers, `true`, `null`: letters, digits, signs and points.
function isWord(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x5f
  )
}
