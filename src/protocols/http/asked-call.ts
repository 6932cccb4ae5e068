import { MemoryOutput } from '../../core/bytes/output.ts'
import type { Call } from '../../core/call.ts'
import type { CodecSession } from '../../core/codec.ts'
import { isNotExecuted, RpcError } from '../../core/error.ts'
import { ItemStream } from '../../core/item-stream.ts'
import type { Reply } from '../../core/layer.ts'
import type { Limits } from '../../core/limits.ts'
import { callFields } from './call-fields.ts'
import { errorOfStatus, marked, readErrorValue } from './error-body.ts'
import { metadataPrefixes, readMetadata } from './metadata-fields.ts'
import type { ResponseHead } from './response-head.ts'
import { LineCutter, readLine } from './stream-lines.ts'

const none: ReadonlySet<string> = new Set()
// What an item costs beside its bytes, so that many small ones do not fill the memory.
const itemOverhead = 64

export interface AskedCallInit {
  readonly call: Call
  readonly codec: CodecSession
  readonly limits: Limits
  /** Nobody wants the rest of the answer. */
  onGivenUp(): void
  /** More of a stream can be taken in. */
  onRoom(): void
}

/** A call that waits for its answer. */
export class AskedCall {
  readonly promise: Promise<Reply>
  readonly #init: AskedCallInit
  readonly #resolve: (reply: Reply | PromiseLike<Reply>) => void
  readonly #reject: (error: RpcError) => void
  #head: ResponseHead | undefined = undefined
  #body: MemoryOutput | undefined = undefined
  #stream: ItemStream | undefined = undefined
  #lines: LineCutter | undefined = undefined
  #unread = 0
  #settled = false

  constructor(init: AskedCallInit) {
    this.#init = init
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
  }

  /** The reader of the stream is behind: no more should be read for now. */
  get full(): boolean {
    return this.#unread > this.#init.limits.streamWindowBytes
  }

  get keepAlive(): boolean {
    return this.#head?.keepAlive === true
  }

  /** What has come so far only announces the answer. */
  get isInterim(): boolean {
    return this.#head !== undefined && this.#head.status < 200
  }

  /** A one-way call is on its way, which is all that its caller waits for. */
  sent(): void {
    this.#succeed(undefined)
  }

  head(head: ResponseHead): void {
    this.#head = head
    if (this.isInterim) return
    const { call, limits } = this.#init
    call.phase = 'receive'
    this.#metadata(head)
    const type = head.fields.get('content-type') ?? ''
    if (head.status === 200 && /^application\/x-ndjson\s*(?:;|$)/i.test(type)) this.#begin()
    else this.#body = new MemoryOutput(Math.min(1024, limits.maxMessageBytes))
  }

  data(bytes: Uint8Array, range: { readonly start: number; readonly end: number }): void {
    if (this.#lines !== undefined) return this.#lines.push(bytes, range, (line, at) => this.#line(line, at))
    const body = this.#body
    if (body === undefined) return
    const length = range.end - range.start
    const { maxMessageBytes } = this.#init.limits
    if (body.at + length > maxMessageBytes)
      throw new RpcError('resource_exhausted', `it is longer than ${maxMessageBytes} bytes`)
    body.ensure(length)
    body.bytes.set(bytes.subarray(range.start, range.end), body.at)
    body.at += length
  }

  /** The answer has come to its end. */
  end(): void {
    if (this.#settled) return
    if (this.#stream === undefined) this.#decode()
    else if (this.#lines?.partial === true) {
      this.fail(new RpcError('internal', 'the stream ended in the middle of an item', { phase: 'receive' }))
    } else this.#finish(undefined)
  }

  fail(error: RpcError): void {
    if (this.#settled) return
    this.#settled = true
    const { call } = this.#init
    if (this.#stream !== undefined) {
      this.#stream.finish(error)
      call.end(error)
      return
    }
    call.end(error, isNotExecuted(error))
    // A layer may have put another attempt in the place of this one.
    if (call.replacement !== undefined) this.#resolve(call.replacement)
    else this.#reject(error)
  }

  /** Nobody waits any more. */
  giveUp(reason: RpcError): void {
    if (this.#settled) return
    this.fail(reason)
    this.#init.onGivenUp()
  }

  #begin(): void {
    const { call, limits } = this.#init
    this.#lines = new LineCutter(limits.maxMessageBytes)
    const stream = new ItemStream({
      onTaken: (cost) => {
        const wasFull = this.full
        this.#unread -= cost
        if (wasFull && !this.full) this.#init.onRoom()
      },
      onLeft: (reason) => this.giveUp(reason),
    })
    this.#stream = stream
    call.begin()
    this.#resolve(stream)
  }

  #line(bytes: Uint8Array, range: { start: number; end: number }): void {
    if (this.#settled) return
    const line = readLine(this.#init.codec, bytes, range)
    if (line.kind === 'end') {
      if (line.trailer !== undefined) this.#init.call.receive('trailer', line.trailer)
      this.#finish(line.error)
      return
    }
    const cost = range.end - range.start + itemOverhead
    this.#unread += cost
    this.#init.call.liftDeadline()
    this.#stream?.push(line.item, cost)
  }

  #finish(error: RpcError | undefined): void {
    if (error !== undefined) return this.fail(error)
    this.#settled = true
    this.#init.call.end()
    this.#stream?.finish()
  }

  #decode(): void {
    const { codec } = this.#init
    const { status, fields } = this.#head as ResponseHead
    const body = this.#body as MemoryOutput
    const notExecuted = fields.get(callFields.notExecuted) === 'true'
    if (status >= 300) return this.fail(marked(this.#readError(status, body), notExecuted))
    try {
      this.#succeed(body.at === 0 ? undefined : codec.decode(body.bytes, 0, body.at))
    } catch (thrown) {
      const { code, message } = RpcError.from(thrown)
      // What is wrong with an answer is no fault of whoever asked.
      const shown = code === 'invalid_argument' ? 'internal' : code
      this.fail(new RpcError(shown, `the answer is none: ${message}`, { cause: thrown, phase: 'receive' }))
    }
  }

  #readError(status: number, body: MemoryOutput): RpcError {
    try {
      const error = readErrorValue(this.#init.codec.decode(body.bytes, 0, body.at))
      if (error !== undefined) return error
    } catch {
      // It is no JSON, so it is no error of ours.
    }
    return errorOfStatus(status, new TextDecoder().decode(body.bytes.subarray(0, Math.min(body.at, 500))))
  }

  #succeed(value: Reply): void {
    if (this.#settled) return
    this.#settled = true
    const { call } = this.#init
    if (!call.oneway) call.begin()
    call.end()
    this.#resolve(value)
  }

  #metadata({ fields }: ResponseHead): void {
    const { call } = this.#init
    const head = readMetadata(fields, metadataPrefixes.head, none)
    if (head !== undefined) call.receive('head', head)
    const trailer = readMetadata(fields, metadataPrefixes.trailer, none)
    if (trailer !== undefined) call.receive('trailer', trailer)
  }
}
