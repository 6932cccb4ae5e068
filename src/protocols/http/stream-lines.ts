import { MemoryOutput } from '../../core/bytes/output.ts'
import type { CodecSession } from '../../core/codec.ts'
import { RpcError } from '../../core/error.ts'
import { Metadata } from '../../core/metadata.ts'
import { errorValue, readErrorValue } from './error-body.ts'

/** How a stream is said to have ended, where there is something to say: its failure, or metadata after it. */
export interface StreamEnd {
  readonly error: RpcError | undefined
  readonly trailer: Metadata | undefined
}

const newline = 0x0a
// An item that looks like this is written as `{"$object":…}` by the codec, so none begins a line in this way and is
// a whole object with one property.
const endMark = new TextEncoder().encode('{"$end":')
const close = 0x7d

/** The line of an item. The bytes are the output's, valid until it is used again. */
export function writeItemLine(codec: CodecSession, item: unknown, output: MemoryOutput): Uint8Array {
  output.at = 0
  codec.encode(item, output)
  return finishLine(output)
}

/** The last line of a stream that failed, or has a trailer. */
export function writeEndLine(codec: CodecSession, end: StreamEnd, output: MemoryOutput): Uint8Array {
  const trailer = end.trailer === undefined ? undefined : Object.fromEntries(end.trailer)
  const rest = trailer === undefined ? {} : { trailer }
  if (end.error === undefined) return writeEnd(codec, rest, output)
  const error = errorValue(end.error)
  try {
    return writeEnd(codec, { error, ...rest }, output)
  } catch (thrown) {
    const { code, message } = error
    const why = `its details were left out: ${RpcError.from(thrown).message}`
    return writeEnd(codec, { error: { code, message: `${String(message)} (${why})` }, ...rest }, output)
  }
}

function writeEnd(codec: CodecSession, value: unknown, output: MemoryOutput): Uint8Array {
  output.at = 0
  output.ensure(endMark.length)
  output.bytes.set(endMark)
  output.at = endMark.length
  codec.encode(value, output)
  output.ensure(1)
  output.bytes[output.at++] = close
  return finishLine(output)
}

function finishLine(output: MemoryOutput): Uint8Array {
  output.ensure(1)
  output.bytes[output.at++] = newline
  return output.bytes.subarray(0, output.at)
}

/** What a line is: an item, or the end. */
export type Line = { readonly kind: 'item'; readonly item: unknown } | ({ readonly kind: 'end' } & StreamEnd)

/** @throws RpcError for a line that is neither. */
export function readLine(
  codec: CodecSession,
  bytes: Uint8Array,
  range: { start: number; end: number },
): Line {
  const ended = readEnd(codec, bytes, range)
  return ended ?? { kind: 'item', item: codec.decode(bytes, range.start, range.end) }
}

function readEnd(
  codec: CodecSession,
  bytes: Uint8Array,
  { start, end }: { start: number; end: number },
): Line | undefined {
  if (end - start <= endMark.length || bytes[end - 1] !== close) return undefined
  for (let i = 0; i < endMark.length; i++) if (bytes[start + i] !== endMark[i]) return undefined
  let value: unknown
  try {
    value = codec.decode(bytes, start + endMark.length, end - 1)
  } catch {
    // An object with more properties than the one: an item.
    return undefined
  }
  const { error, trailer } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  const failure = error === undefined ? undefined : readErrorValue(error)
  return {
    kind: 'end',
    error:
      failure ??
      (error === undefined ? undefined : new RpcError('unknown', 'the stream failed', { phase: 'receive' })),
    trailer: readTrailer(trailer),
  }
}

function readTrailer(value: unknown): Metadata | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return new Metadata(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** Cuts a body into lines of at most `maxBytes`, however it comes. */
export class LineCutter {
  readonly #maxBytes: number
  readonly #kept = new MemoryOutput(0)

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Whether a line has begun and not ended. */
  get partial(): boolean {
    return this.#kept.at > 0
  }

  /** Hands on each line that is complete, without its end; the bytes are borrowed. */
  push(
    bytes: Uint8Array,
    range: { readonly start: number; readonly end: number },
    onLine: (bytes: Uint8Array, range: { start: number; end: number }) => void,
  ): void {
    let start = range.start
    while (start < range.end) {
      const found = bytes.indexOf(newline, start)
      const end = found === -1 || found >= range.end ? range.end : found
      if (this.#kept.at + end - start > this.#maxBytes + endMark.length + 1) {
        throw new RpcError('resource_exhausted', `an item is longer than ${this.#maxBytes} bytes`)
      }
      if (end === range.end) return this.#keep(bytes, start, end)
      if (this.#kept.at === 0) onLine(bytes, { start, end })
      else {
        this.#keep(bytes, start, end)
        const line = this.#kept.take()
        onLine(line, { start: 0, end: line.length })
      }
      start = end + 1
    }
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    this.#kept.ensure(end - start)
    this.#kept.bytes.set(bytes.subarray(start, end), this.#kept.at)
    this.#kept.at += end - start
  }
}
