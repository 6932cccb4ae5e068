import { isNotExecuted, RpcError } from '../../core/error.ts'
import { beginFrame, endFrame, errorExtra, writeReason, writeReplyHead } from './encode.ts'
import { frameTypes, replyFlags } from './frames.ts'
import type { Link } from './link.ts'
import type { ServerCall } from './server-call.ts'

/** Writes what a server answers. */
export class ReplyWriter {
  readonly #link: Link

  constructor(link: Link) {
    this.#link = link
  }

  /** A value. If it cannot travel the caller gets an error that says why, which is also returned. */
  value(served: ServerCall, value: unknown): RpcError | undefined {
    const { outbox, wire } = this.#link
    if (this.#link.state === 'closed') return undefined
    const { givenHead: head, givenTrailer: trailer } = served.call
    let start: number
    try {
      do {
        start = beginFrame(wire.out, frameTypes.reply, served.id)
        writeReplyHead(wire.out, 0, head, trailer)
        this.#link.encode(value, start)
      } while (outbox.definitionsFirst(this.#link.codec, start))
      outbox.finish(start, frameTypes.reply, served.id)
      return undefined
    } catch (thrown) {
      const error = unsendable(served, RpcError.from(thrown))
      this.error(served, error, false)
      return error
    }
  }

  /** A failure of the call, or of its stream. */
  error(served: ServerCall, error: RpcError, notExecuted: boolean): void {
    this.#error(served.id, error, notExecuted, served)
  }

  /** An answer to a call that never began. */
  refuse(id: number, error: RpcError): void {
    this.#error(id, error, isNotExecuted(error), undefined)
    this.#link.checkUnsent()
  }

  /** The reply is a stream, and begins. */
  head(served: ServerCall): void {
    this.#bare(frameTypes.head, served, true)
  }

  /** The stream has come to its end. */
  end(served: ServerCall): void {
    this.#bare(frameTypes.end, served, false)
  }

  #bare(type: typeof frameTypes.head | typeof frameTypes.end, served: ServerCall, isHead: boolean): void {
    if (this.#link.state === 'closed') return
    const { out } = this.#link.wire
    const { givenHead: head, givenTrailer: trailer } = served.call
    const start = beginFrame(out, type, served.id)
    writeReplyHead(out, 0, isHead ? head : undefined, isHead ? undefined : trailer)
    endFrame(out, start)
    out.commit(false)
  }

  #error(id: number, error: RpcError, notExecuted: boolean, served: ServerCall | undefined): void {
    if (this.#link.state === 'closed') return
    try {
      this.#writeError(id, error, notExecuted, served, errorExtra(error))
    } catch (thrown) {
      // The details cannot travel; the code and the message always can.
      const problem = RpcError.from(thrown)
      const plain = new RpcError(
        error.code,
        `${error.message} (its details were left out: ${problem.message})`,
      )
      this.#writeError(id, plain, notExecuted, served, undefined)
    }
  }

  #writeError(
    id: number,
    error: RpcError,
    notExecuted: boolean,
    served: ServerCall | undefined,
    extra: unknown,
  ): void {
    const { outbox, wire } = this.#link
    const call = served?.call
    const flags = (notExecuted ? replyFlags.notExecuted : 0) | (extra === undefined ? 0 : replyFlags.extra)
    let start: number
    do {
      start = beginFrame(wire.out, frameTypes.error, id)
      writeReplyHead(
        wire.out,
        flags,
        served?.headSent === true ? undefined : call?.givenHead,
        call?.givenTrailer,
      )
      writeReason(wire.out, error)
      if (extra === undefined) break
      this.#link.encode(extra, start)
    } while (outbox.definitionsFirst(this.#link.codec, start))
    outbox.finish(start, frameTypes.error, id)
  }
}

function unsendable(served: ServerCall, error: RpcError): RpcError {
  const code = error.code === 'invalid_argument' ? 'internal' : error.code
  return new RpcError(code, `the result of ${served.call.name} cannot be sent: ${error.message}`, {
    cause: error,
    phase: 'write',
  })
}
