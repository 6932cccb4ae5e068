import { MemoryOutput } from '../../core/bytes/output.ts'
import type { RpcError } from '../../core/error.ts'
import { checkMetadata, type Metadata } from '../../core/metadata.ts'
import type { Peer } from '../../core/peer.ts'
import type { HttpRequest } from '../http-route.ts'
import type { Room } from '../protocol.ts'
import type { DecodeEvent } from './decode.ts'
import { metadataPrefixes, readMetadata } from './metadata-fields.ts'
import { HttpProblem } from './problem.ts'
import type { RequestHead } from './request-head.ts'
import type { ResponseWriter } from './response-writer.ts'
import type { ServedCall } from './served-call.ts'
import { readTarget, type Target } from './target.ts'

export interface ExchangeInit {
  readonly head: RequestHead
  readonly writer: ResponseWriter
  readonly room: Room
  readonly peer: Peer
}

/** One request and its answer. */
export class Exchange implements HttpRequest {
  readonly head: RequestHead
  readonly writer: ResponseWriter
  readonly room: Room
  readonly peer: Peer
  /** What is being carried out for it. */
  call: ServedCall | undefined = undefined
  wake: () => void = () => {}
  readonly #body: MemoryOutput
  #target: Target | undefined = undefined
  #query: URLSearchParams | undefined = undefined
  #abort: AbortController | undefined = undefined
  #lost: RpcError | undefined = undefined
  #onLost: ((reason: RpcError) => void) | undefined = undefined

  constructor({ head, writer, room, peer }: ExchangeInit) {
    this.head = head
    this.writer = writer
    this.room = room
    this.peer = peer
    const { framing } = head
    // As much as it says, but no more than a little before it comes.
    this.#body = new MemoryOutput(framing.kind === 'length' ? Math.min(framing.length, 16_384) : 1024)
  }

  get method(): string {
    return this.head.method
  }

  /** @throws HttpProblem 400 for a target that is none. */
  get target(): Target {
    this.#target ??= readTarget(this.head.target)
    return this.#target
  }

  get path(): string {
    return this.target.path
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.target.query)
    return this.#query
  }

  get headers(): RequestHead['fields'] {
    return this.head.fields
  }

  get host(): string {
    return this.head.fields.get('host') ?? ''
  }

  get metadata(): Metadata | undefined {
    const metadata = readMetadata(this.head.fields, metadataPrefixes.head)
    if (metadata !== undefined) checkMetadata(metadata, this.room.limits)
    return metadata
  }

  get body(): Uint8Array {
    return this.#body.bytes.subarray(0, this.#body.at)
  }

  /** Bytes that are kept of the body. */
  get held(): number {
    return this.#body.bytes.length
  }

  /** How much of the body has come. */
  get received(): number {
    return this.#body.at
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#lost !== undefined) this.#abort.abort(this.#lost)
    return this.#abort.signal
  }

  /** @throws HttpProblem 413 where the body is longer than is allowed. */
  checkLength(length: number): void {
    const { maxMessageBytes } = this.room.limits
    if (length <= maxMessageBytes) return
    throw new HttpProblem(
      413,
      `the body is longer than ${maxMessageBytes} bytes, the most allowed (limits.maxMessageBytes)`,
    )
  }

  /** Takes in a piece of the body. */
  add({ bytes, start, end }: Extract<DecodeEvent<RequestHead>, { kind: 'data' }>): void {
    this.checkLength(this.#body.at + end - start)
    this.#body.ensure(end - start)
    this.#body.bytes.set(bytes.subarray(start, end), this.#body.at)
    this.#body.at += end - start
  }

  /** Nobody waits for the answer any more: cancels what is being done for it. */
  lose(reason: RpcError): void {
    if (this.#lost !== undefined) return
    this.#lost = reason
    this.#abort?.abort(reason)
    this.call?.call.cancel(reason)
    this.#onLost?.(reason)
  }

  /** Called once where the answer is not wanted any more. */
  onLost(listener: (reason: RpcError) => void): void {
    if (this.#lost === undefined) this.#onLost = listener
    else listener(this.#lost)
  }
}
