import { MemoryOutput, type Output } from '../../core/bytes/output.ts'
import type { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { gob, GobDecoder, GobEncoder } from '../../codecs/gob/index.ts'
import type { GoBody, GoCodec, GoCodecSession } from './codec.ts'
import type { GoHeader } from './header.ts'

// Read by name: a field that the peer's struct has not is empty.
const anyHeader = gob.struct('Header', {
  serviceMethod: gob.field('ServiceMethod', gob.string),
  seq: gob.field('Seq', gob.uint64),
  error: gob.field('Error', gob.string),
})

/** The struct of geerpc's headers, both ways. */
export const headerType: gob.GobType<GoHeader> = anyHeader

/** The structs of net/rpc: a request has no error. */
export const requestType: gob.GobType<Omit<GoHeader, 'error'>> = gob.struct('Request', {
  serviceMethod: gob.field('ServiceMethod', gob.string),
  seq: gob.field('Seq', gob.uint64),
})
export const responseType: gob.GobType<GoHeader> = gob.struct('Response', {
  serviceMethod: gob.field('ServiceMethod', gob.string),
  seq: gob.field('Seq', gob.uint64),
  error: gob.field('Error', gob.string),
})

/** What stands where there is no body: Go's `struct{}{}`. */
const emptyType = gob.struct('', {})

/** Gob, with headers of this struct. */
export function gobCodecWith(header: gob.GobType): GoCodec {
  return { open: (limits) => new GobSession(limits, header) }
}

class GobSession implements GoCodecSession {
  readonly #header: gob.GobType
  readonly #encoder: GobEncoder
  readonly #decoder: GobDecoder
  readonly #scratch = new MemoryOutput()

  constructor(limits: Limits, header: gob.GobType) {
    this.#header = header
    this.#encoder = new GobEncoder(limits)
    this.#decoder = new GobDecoder(limits)
  }

  get partial(): boolean {
    return this.#decoder.pending > 0
  }

  get held(): number {
    return this.#decoder.pending
  }

  get broken(): RpcError | undefined {
    return this.#decoder.broken
  }

  push(chunk: Uint8Array): void {
    this.#decoder.push(chunk)
  }

  finish(): void {}

  readHeader(): GoHeader | undefined {
    return this.#decoder.decodeNext(anyHeader)
  }

  readBody(type: gob.GobType | undefined): GoBody | undefined {
    const value = this.#decoder.decodeNext(type)
    return value === undefined ? undefined : { value }
  }

  skipBody(): boolean {
    return this.#decoder.skipNext()
  }

  write(header: GoHeader, body: { value: unknown; type?: gob.GobType | undefined }, output: Output): void {
    const scratch = this.#scratch
    scratch.at = 0
    // The body first, elsewhere: if it cannot be sent, no header has gone before it that the peer would wait behind.
    if (body.value === undefined || body.value === null) this.#encoder.encode({}, scratch, emptyType)
    else this.#encoder.encode(body.value, scratch, body.type)
    this.#encoder.encode(header, output, this.#header)
    output.ensure(scratch.at)
    output.bytes.set(scratch.bytes.subarray(0, scratch.at), output.at)
    output.at += scratch.at
    // One large message should not cost its size for ever.
    if (scratch.bytes.length > 0x10000) scratch.bytes = new Uint8Array(256)
  }
}
