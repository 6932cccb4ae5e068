import type { Fields } from './fields.ts'
import type { Framing } from './framing.ts'
import { findLine, HeadReader } from './head-reader.ts'
import { HttpProblem } from './problem.ts'

/** What is made of a message, one event after the other. */
export type DecodeEvent<Head> =
  | { readonly kind: 'head'; readonly head: Head }
  /** A piece of the body, of `bytes` from `start` to `end`; borrowed until the decoder is used again. */
  | { readonly kind: 'data'; readonly bytes: Uint8Array; readonly start: number; readonly end: number }
  | { readonly kind: 'end' }

/** A head with what it says of the body. */
export interface Framed {
  readonly framing: Framing
}

type State =
  | { readonly kind: 'head'; readonly reader: HeadReader }
  | { readonly kind: 'data'; left: number; readonly chunked: boolean }
  | { readonly kind: 'chunk-size' | 'chunk-end' | 'until-end' | 'end' }
  | { readonly kind: 'trailers'; readonly reader: HeadReader }

// A size of seven hexadecimal digits is 256 MiB; anything longer is nonsense.
const maxSizeDigits = 7
const end: State = { kind: 'end' }

/**
 * Reads HTTP/1 messages, requests or responses, from bytes in pieces of any size: it owns no connection. It keeps what
 * it was given until it is asked, so a reader that asks for no more than it can use has flow control.
 */
export class HttpDecoder<Head extends Framed> {
  readonly #readHead: (firstLine: string, fields: Fields) => Head
  #bytes = new Uint8Array(0)
  #at = 0
  #end = 0
  #scanned = 0
  #state: State = { kind: 'head', reader: new HeadReader() }

  /** `readHead` makes sense of a head, and throws an HttpProblem where there is none. */
  constructor(readHead: (firstLine: string, fields: Fields) => Head) {
    this.#readHead = readHead
  }

  /** Bytes that have come and were not asked for. */
  get buffered(): number {
    return this.#end - this.#at
  }

  /** Bytes that it keeps for what comes. */
  get held(): number {
    return this.#bytes.length
  }

  /** `idle`: between messages, with nothing of the next. */
  get phase(): 'idle' | 'head' | 'body' {
    if (this.#state.kind !== 'head') return 'body'
    return this.buffered > 0 || this.#state.reader.begun || this.#state.reader.firstLine !== undefined
      ? 'head'
      : 'idle'
  }

  /** Takes in a copy of what has come. */
  push(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length)
    this.#bytes.set(chunk, this.#end)
    this.#end += chunk.length
  }

  /**
   * The next event; undefined where more bytes are needed.
   * @throws HttpProblem for what is no message; nothing after it makes sense.
   */
  next(): DecodeEvent<Head> | undefined {
    for (;;) {
      const state = this.#state
      switch (state.kind) {
        case 'head': {
          if (!this.#readLines(state.reader)) return undefined
          const head = this.#readHead(state.reader.firstLine as string, state.reader.fields)
          this.#state = afterHead(head.framing)
          return { kind: 'head', head }
        }
        case 'data': {
          const taken = this.#take(state.left)
          if (taken === undefined) return undefined
          state.left -= taken.end - taken.start
          if (state.left === 0) this.#state = state.chunked ? { kind: 'chunk-end' } : end
          return taken
        }
        case 'until-end':
          return this.#take(Number.POSITIVE_INFINITY)
        case 'chunk-size': {
          const size = this.#readSize()
          if (size === undefined) return undefined
          this.#state =
            size > 0
              ? { kind: 'data', left: size, chunked: true }
              : { kind: 'trailers', reader: new HeadReader(true) }
          break
        }
        case 'chunk-end': {
          const line = this.#nextLine(2)
          if (line === undefined) return undefined
          if (line.end > line.start) throw new HttpProblem(400, 'a chunk is longer than its size says')
          this.#state = { kind: 'chunk-size' }
          break
        }
        case 'trailers':
          if (!this.#readLines(state.reader)) return undefined
          this.#state = end
          break
        case 'end':
          this.#state = { kind: 'head', reader: new HeadReader() }
          return { kind: 'end' }
      }
    }
  }

  /** The connection has ended: whether that ends a body, too. */
  finish(): boolean {
    if (this.#state.kind !== 'until-end') return false
    this.#state = end
    return true
  }

  #readLines(reader: HeadReader): boolean {
    for (;;) {
      const line = this.#nextLine(Number.POSITIVE_INFINITY)
      if (line === undefined) {
        reader.check(this.buffered)
        return false
      }
      if (reader.line(this.#bytes, line.start, line.end)) return true
    }
  }

  #readSize(): number | undefined {
    const line = this.#nextLine(maxSizeDigits + 2)
    if (line === undefined) return undefined
    let size = 0
    if (line.end === line.start) throw badSize()
    for (let i = line.start; i < line.end; i++) {
      const digit = hexDigit(this.#bytes[i] as number)
      // What a chunk says beside its size nobody uses, but to hide something from one reader of two.
      if (digit === -1) throw badSize()
      size = size * 16 + digit
    }
    return size
  }

  /** The next line without its end, which is at most `most` bytes long with it. */
  #nextLine(most: number): { readonly start: number; readonly end: number } | undefined {
    const start = this.#at
    const found = findLine(this.#bytes, Math.max(start, this.#scanned), this.#end)
    if ((found === -1 ? this.buffered : found + 2 - start) > most) throw badSize()
    if (found === -1) {
      // A CR at the end may be half of a line's.
      this.#scanned = Math.max(start, this.#end - 1)
      return undefined
    }
    this.#at = found + 2
    this.#scanned = this.#at
    return { start, end: found }
  }

  #take(most: number): Extract<DecodeEvent<Head>, { kind: 'data' }> | undefined {
    const count = Math.min(most, this.buffered)
    if (count === 0) return undefined
    const start = this.#at
    this.#at += count
    this.#scanned = this.#at
    return { kind: 'data', bytes: this.#bytes, start, end: start + count }
  }

  #makeRoom(count: number): void {
    const kept = this.#bytes.subarray(this.#at, this.#end)
    const needed = kept.length + count
    const bytes = needed <= this.#bytes.length ? this.#bytes : new Uint8Array(Math.max(1024, needed * 2))
    bytes.set(kept)
    this.#bytes = bytes
    this.#scanned = Math.max(0, this.#scanned - this.#at)
    this.#at = 0
    this.#end = kept.length
  }
}

function afterHead(framing: Framing): State {
  switch (framing.kind) {
    case 'length':
      return framing.length === 0 ? end : { kind: 'data', left: framing.length, chunked: false }
    case 'chunked':
      return { kind: 'chunk-size' }
    case 'until-end':
      return { kind: 'until-end' }
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

function badSize(): HttpProblem {
  return new HttpProblem(400, 'a chunk should begin with its size in hexadecimal digits, and nothing else')
}
