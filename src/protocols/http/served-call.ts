import { MemoryOutput } from '../../core/bytes/output.ts'
import type { Call } from '../../core/call.ts'
import type { CodecSession } from '../../core/codec.ts'
import { isNotExecuted, RpcError } from '../../core/error.ts'
import { type Handler, isPending, type Reply } from '../../core/layer.ts'
import { isStream } from '../../core/stream.ts'
import type { Room } from '../protocol.ts'
import { BodyPump, type PumpSink } from './body-pump.ts'
import { encodeError, endLine, errorStart } from './error-body.ts'
import { metadataPrefixes, writeMetadata } from './metadata-fields.ts'
import type { ResponseWriter } from './response-writer.ts'
import { writeEndLine, writeItemLine } from './stream-lines.ts'

const none: ReadonlySet<string> = new Set()

export interface ServedCallInit {
  readonly call: Call
  readonly room: Room
  readonly codec: CodecSession
  /** Where the answer goes; undefined for a one-way call, which has been answered. */
  readonly writer: ResponseWriter | undefined
  /** The peer does not take what was written. */
  full(): boolean
  /** The answer is written, and the call has ended. */
  onSettled(): void
  /** The handler, and the stream that it answered with, have finished. */
  onStopped(): void
}

/** A call that is being served, from its handler to the last byte of the answer. */
export class ServedCall implements PumpSink {
  readonly call: Call
  readonly #init: ServedCallInit
  /** What is encoded before it is sent: its length comes first. */
  readonly #line = new MemoryOutput(256)
  #pump: BodyPump | undefined = undefined
  #settled = false
  #running = true

  constructor(init: ServedCallInit) {
    this.#init = init
    this.call = init.call
    this.call.watchDeadline()
    this.call.onCancel((reason) => this.#fail(reason))
  }

  /** Has the call carried out. */
  run(handler: Handler): void {
    let reply: Reply | PromiseLike<Reply>
    try {
      reply = handler(this.call)
    } catch (thrown) {
      return this.#failed(thrown)
    }
    // A synchronous answer is written in the turn in which its request was read.
    if (!isPending(reply)) return this.#reply(reply)
    reply.then(
      (value) => this.#reply(value),
      (thrown: unknown) => this.#failed(thrown),
    )
  }

  /** The peer takes more. */
  wake(): void {
    this.#pump?.wake()
  }

  full(): boolean {
    return this.#init.full()
  }

  item(item: unknown): void {
    const line = this.#encodeItem(item)
    this.#begin()
    this.call.liftDeadline()
    this.#init.writer?.piece(line)
  }

  end(): void {
    this.#stopped()
    if (this.#settled) return
    this.#begin()
    const trailer = this.call.givenTrailer
    if (trailer !== undefined && trailer.size > 0) this.#writeEnd(undefined)
    this.#init.writer?.end()
    this.#settle(undefined)
  }

  error(thrown: unknown): void {
    this.#failed(thrown)
  }

  #reply(value: Reply): void {
    if (isStream(value)) return this.#stream(value)
    this.#stopped()
    if (this.#settled) return
    this.call.begin()
    this.call.phase = 'write'
    this.#settle(this.#write(value))
  }

  #failed(thrown: unknown): void {
    this.#stopped()
    this.#fail(RpcError.from(thrown, 'internal', 'handle'))
  }

  #stream(stream: AsyncIterable<unknown>): void {
    const pump = new BodyPump(stream, this)
    this.#pump = pump
    if (this.#settled) return this.#stop(pump)
    if (this.call.oneway) {
      this.#fail(
        new RpcError(
          'failed_precondition',
          `${this.call.name} answers with a stream and cannot be called one-way`,
        ),
      )
      return
    }
    this.call.begin()
    pump.start()
    // What a generator says before its first item goes with the head; who waits for the head alone has it soon.
    this.#init.room.clock.defer(() => this.#begin())
  }

  /** The value as the answer. One that cannot travel is an error, which the caller gets in its place. */
  #write(value: unknown): RpcError | undefined {
    const { writer, codec } = this.#init
    if (writer === undefined) return undefined
    try {
      if (value === undefined) {
        writer.whole({ status: 204, fields: this.#metadata() }, '')
        return undefined
      }
      const output = this.#line
      codec.encode(value, output)
      endLine(output)
      const fields = [['content-type', 'application/json'] as const, ...this.#metadata()]
      writer.whole({ status: 200, fields }, output.bytes.subarray(0, output.at))
      return undefined
    } catch (thrown) {
      const error = this.#unsendable(thrown)
      this.#writeError(error)
      return error
    }
  }

  #fail(error: RpcError): void {
    if (this.#settled) return
    const { writer } = this.#init
    if (writer?.state === 'begun') {
      this.#writeEnd(error)
      writer.end()
    } else this.#writeError(error)
    if (this.#pump !== undefined) this.#stop(this.#pump)
    this.#settle(error)
  }

  #encodeItem(item: unknown): Uint8Array {
    try {
      return writeItemLine(this.#init.codec, item, this.#line)
    } catch (thrown) {
      throw this.#unsendable(thrown)
    }
  }

  #writeError(error: RpcError): void {
    const { writer, codec } = this.#init
    if (writer === undefined) return
    const body = encodeError(codec, error)
    const start = errorStart(error)
    try {
      writer.whole({ ...start, fields: [...(start.fields ?? []), ...this.#metadata()] }, body)
    } catch {
      writer.whole(start, body)
    }
  }

  #writeEnd(error: RpcError | undefined): void {
    const trailer = this.call.givenTrailer
    this.#init.writer?.piece(writeEndLine(this.#init.codec, { error, trailer }, this.#line))
  }

  #begin(): void {
    const { writer } = this.#init
    if (this.#settled || writer?.state !== 'none') return
    const fields = [['content-type', 'application/x-ndjson'] as const, ...this.#metadata('head')]
    writer.begin({ status: 200, fields })
  }

  #metadata(which: 'head' | 'both' = 'both'): (readonly [string, string])[] {
    const { givenHead: head, givenTrailer: trailer } = this.call
    const fields: (readonly [string, string])[] = []
    if (head !== undefined) fields.push(...writeMetadata(head, metadataPrefixes.head, none))
    if (which === 'both' && trailer !== undefined)
      fields.push(...writeMetadata(trailer, metadataPrefixes.trailer, none))
    return fields
  }

  #unsendable(thrown: unknown): RpcError {
    const { code, message } = RpcError.from(thrown)
    const text = `the result of ${this.call.name} cannot be sent: ${message}`
    const shown = code === 'invalid_argument' ? 'internal' : code
    return new RpcError(shown, text, { cause: thrown, phase: 'write' })
  }

  #settle(error: RpcError | undefined): void {
    this.#settled = true
    this.call.end(error, error !== undefined && isNotExecuted(error))
    this.#init.onSettled()
  }

  // Nobody wants more: a generator that does not end is reported, so that its author learns of it.
  #stop(pump: BodyPump): void {
    const { clock, limits, report } = this.#init.room
    const { name } = this.call
    const cancelTimer = clock.afterInBackground(limits.cancelGraceMs, () => {
      const message = `${name} was cancelled ${limits.cancelGraceMs} ms ago and its generator has not ended; it should watch currentCall().signal`
      report(new RpcError('deadline_exceeded', message), { event: 'uncooperative', method: name })
    })
    void pump.stop().then(() => {
      cancelTimer()
      this.#stopped()
    })
  }

  #stopped(): void {
    if (!this.#running) return
    this.#running = false
    this.#init.onStopped()
  }
}
