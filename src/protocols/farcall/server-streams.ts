import { RpcError } from '../../core/error.ts'
import { ItemStream } from '../../core/item-stream.ts'
import type { Reader } from '../../core/bytes/varint.ts'
import { frameTypes } from './frames.ts'
import type { Link } from './link.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import type { ReplyWriter } from './reply-writer.ts'
import type { IncomingInput, ServerCall } from './server-call.ts'

/** The streams of a server's calls: arguments that arrive, replies that leave. */
export class ServerStreams {
  readonly #link: Link
  readonly #replies: ReplyWriter

  constructor(link: Link, replies: ReplyWriter) {
    this.#link = link
    this.#replies = replies
  }

  openInput(id: number): IncomingInput {
    const window = this.#link.received.open(id, this.#link.room.limits.streamWindowBytes)
    const input: IncomingInput = {
      stream: new ItemStream({
        onTaken: (cost) => window.take(cost),
        onLeft: (reason) => {
          if (!input.closed) this.#link.sendReason(frameTypes.cancel, id, reason)
        },
      }),
      window,
      ended: false,
      closed: false,
    }
    return input
  }

  /** Takes in an item of the argument. @throws RpcError if it does not decode. */
  onItem(input: IncomingInput, cost: number, reader: Reader): void {
    input.stream.push(this.#link.codec.decode(reader.bytes, reader.at, reader.end), cost)
  }

  /** The call is over: whatever of the argument nobody has taken is given up. */
  closeInput(id: number, input: IncomingInput, reason: RpcError): void {
    input.closed = true
    input.window.close()
    this.#link.assemblies.drop(id)
    if (input.ended) input.stream.finish()
    else input.stream.cancel(reason)
  }

  /** Begins to send a reply. */
  openOutput(
    served: ServerCall,
    iterable: AsyncIterable<unknown>,
    on: { end(): void; error(thrown: unknown): void },
  ): OutgoingStream {
    return new OutgoingStream(iterable, {
      id: served.id,
      sink: {
        mayStart: (stream) => this.#link.mayStart(stream),
        park: (stream) => this.#link.park(stream),
        send: (stream, item) => {
          this.sendHead(served)
          served.call.liftDeadline()
          return this.#link.send(stream, item)
        },
      },
      credit: this.#link.credit.perStream,
      call: served.call,
      reusable: false,
      onEnd: on.end,
      onError: on.error,
    })
  }

  /**
   * The head leaves with the first item, or at the end of the turn: what a generator says before its first item goes
   * with it, and a caller who awaits the stream has it at once.
   */
  sendHead(served: ServerCall): void {
    if (served.headSent || served.settled) return
    served.headSent = true
    this.#replies.head(served)
  }

  /** Nobody wants more of a reply: ends its generator, and says so if that does not end in time. */
  stopOutput(served: ServerCall, output: OutgoingStream, onStopped: () => void): void {
    this.#link.credit.release(output)
    const { clock, limits, report } = this.#link.room
    const { name } = served.call
    const cancelTimer = clock.afterInBackground(limits.cancelGraceMs, () => {
      const message = `${name} was cancelled ${limits.cancelGraceMs} ms ago and its generator has not ended; it should watch currentCall().signal`
      report(new RpcError('deadline_exceeded', message), { event: 'uncooperative', method: name })
    })
    void output.stop().then(() => {
      cancelTimer()
      onStopped()
    })
  }
}
