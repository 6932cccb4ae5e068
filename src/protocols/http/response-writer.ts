import { writeUtf8 } from '#platform'
import { utf8Length } from '../../core/bytes/text.ts'
import type { WireOutput } from '../../transports/transport.ts'
import { statusLine, writeBytes, writeChunkEnd, writeChunkHead, writeHead, writeLastChunk } from './encode.ts'
import type { RequestHead } from './request-head.ts'

/** What a response begins with. */
export interface ResponseStart {
  readonly status: number
  readonly fields?: Iterable<readonly [string, string]>
}

export interface ResponseWriterInit {
  readonly out: WireOutput
  /** What is answered; undefined where it could not be read. */
  readonly head: RequestHead | undefined
  /** On every response of this request. */
  readonly fields: readonly (readonly [string, string])[]
}

/** Writes one response, whole or in pieces. */
export class ResponseWriter {
  /** The connection must end after it: the peer wants that, or cannot find the end of the body otherwise. */
  closes: boolean
  state: 'none' | 'begun' | 'ended' = 'none'
  readonly #out: WireOutput
  readonly #head: RequestHead | undefined
  readonly #fields: readonly (readonly [string, string])[]
  readonly #chunked: boolean

  constructor({ out, head, fields }: ResponseWriterInit) {
    this.#out = out
    this.#head = head
    this.#fields = fields
    this.#chunked = head?.version === '1.1'
    this.closes = head?.keepAlive !== true
  }

  /** A whole response. */
  whole(start: ResponseStart, body: Uint8Array | string): void {
    if (this.state !== 'none') return
    const length = typeof body === 'string' ? utf8Length(body) : body.length
    const hasBody = start.status !== 204
    this.#begin(start, hasBody ? [['content-length', String(length)]] : [])
    this.state = 'ended'
    if (hasBody && this.#head?.method !== 'HEAD') this.#write(body, length)
    this.#out.commit()
  }

  /** The head of a response whose body comes in pieces. */
  begin(start: ResponseStart): void {
    if (this.state !== 'none') return
    if (!this.#chunked) this.closes = true
    this.#begin(start, this.#chunked ? [['transfer-encoding', 'chunked']] : [])
    this.state = 'begun'
    this.#out.commit(false)
  }

  /** A piece of its body. */
  piece(body: Uint8Array | string): void {
    const length = typeof body === 'string' ? utf8Length(body) : body.length
    // An empty chunk would be the end.
    if (this.state !== 'begun' || this.#head?.method === 'HEAD' || length === 0) return
    if (this.#chunked) writeChunkHead(this.#out, length)
    this.#write(body, length)
    if (this.#chunked) writeChunkEnd(this.#out)
    this.#out.commit(false)
  }

  /** The end of its body. */
  end(): void {
    if (this.state !== 'begun') return
    this.state = 'ended'
    if (this.#chunked && this.#head?.method !== 'HEAD') writeLastChunk(this.#out)
    this.#out.commit()
  }

  /** Nobody reads it any more. */
  drop(): void {
    this.state = 'ended'
    this.closes = true
  }

  #begin({ status, fields = [] }: ResponseStart, framing: readonly (readonly [string, string])[]): void {
    const all = [...fields, ...framing, ...this.#fields]
    if (this.closes) all.push(['connection', 'close'])
    else if (this.#head?.version === '1.0') all.push(['connection', 'keep-alive'])
    writeHead(this.#out, statusLine(status), all)
  }

  #write(body: Uint8Array | string, length: number): void {
    if (typeof body !== 'string') return writeBytes(this.#out, body)
    this.#out.ensure(length)
    this.#out.at += writeUtf8(this.#out.bytes, body, this.#out.at)
  }
}
