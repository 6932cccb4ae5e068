import type { Reader } from '../../core/bytes/varint.ts'
import { Call } from '../../core/call.ts'
import { callPlace, readingCalls } from '../../core/context.ts'
import { isNotExecuted, markNotExecuted, remoteError, RpcError } from '../../core/error.ts'
import { type Handler, isPending, type Reply } from '../../core/layer.ts'
import { isStream } from '../../core/stream.ts'
import type { Wire } from '../../transports/transport.ts'
import type { Room, Session, SessionState } from '../protocol.ts'
import { acceptCodec, firstCodec, openCodec } from './codecs.ts'
import { CallTable } from './call-table.ts'
import { emptyReadCall, type ReadCall, readCallHead, readReason } from './decode.ts'
import { beginFrame, endFrame, type MethodRef, writeMethodInfo } from './encode.ts'
import { type FrameType, frameTypes, itemOverhead } from './frames.ts'
import { IdSequence } from './id-sequence.ts'
import { LazyArguments } from './lazy-arguments.ts'
import { Link, type LinkOwner } from './link.ts'
import { IncomingMethodRefs } from './method-refs.ts'
import type { OutgoingStream } from './outgoing-stream.ts'
import { type Preface, prefaceOf, protocolVersion } from './preface.ts'
import { ReplyWriter } from './reply-writer.ts'
import { type Servant, ServerCall } from './server-call.ts'
import { tooMany, tooManyRunning, tooManyStreams } from './server-errors.ts'
import { ServerStreams } from './server-streams.ts'

/** The server's side of a connection. */
export function acceptFarcall(wire: Wire, handler: Handler, room: Room): Session {
  return new FarcallServer(wire, handler, room)
}

// A handler whose call was cancelled goes on until it ends. Who cancels and calls again need not wait for that; who does
// nothing else (rapid reset) gets no further than this.
const cancelledBurst = 200

class FarcallServer implements Session, LinkOwner, Servant {
  onState: (state: SessionState, reason?: RpcError) => void = () => {}
  readonly limit: number
  readonly #room: Room
  readonly #handler: Handler
  readonly #link: Link
  readonly #replies: ReplyWriter
  readonly #streaming: ServerStreams
  readonly #methods = new IncomingMethodRefs()
  readonly #ids = new IdSequence()
  /** Calls whose reply is not decided. */
  readonly #calls = new CallTable<ServerCall>()
  // One for all calls: what is kept of one is taken out before the next is read.
  readonly #read = emptyReadCall()
  /** Above this id nothing is accepted any more. */
  #lastAccepted = Number.POSITIVE_INFINITY
  /** Streams among them. */
  #streams = 0
  /** Handlers and generators that have not finished, those of calls that nobody waits for among them. */
  #running = 0

  constructor(wire: Wire, handler: Handler, room: Room) {
    this.limit = room.limits.maxCalls
    this.#room = room
    this.#handler = handler
    this.#link = new Link(wire, room, this, openCodec(firstCodec(room.codecs), room.limits, undefined))
    this.#replies = new ReplyWriter(this.#link)
    this.#streaming = new ServerStreams(this.#link, this.#replies)
    this.#methods.onNew = (entry) => this.#tellInfo(entry)
    const [place, read] = [callPlace(), wire.onData]
    wire.onData = (chunk) => readingCalls(place, read, chunk)
  }

  get state(): SessionState {
    return this.#link.state
  }

  get inFlight(): number {
    return this.#calls.size
  }

  get held(): number {
    return this.#link.held
  }

  drain(): void {
    if (!this.#link.setState('draining')) return
    this.#lastAccepted = this.#ids.last
    this.#link.sendSmall(frameTypes.drain, this.#ids.last)
    this.onState('draining')
    this.#finishIfDrained()
  }

  async close(reason?: RpcError): Promise<void> {
    if (this.state === 'closed') return this.#link.closed
    const error = reason ?? new RpcError('unavailable', 'the server has closed the connection')
    for (const served of this.#calls.all()) this.#abandon(served, error, true)
    return this.#link.finish()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  onPreface(preface: Preface): void {
    const { codecs, limits } = this.#room
    try {
      if (!preface.versions.includes(protocolVersion)) {
        throw new RpcError(
          'unimplemented',
          `version ${preface.versions.join(', ')} is not spoken here; spoken is: ${protocolVersion}`,
        )
      }
      const codec = acceptCodec(codecs, preface)
      this.#link.codec = openCodec(codec, limits, preface)
      this.#link.sendPreface(prefaceOf(limits, [codec.name]))
    } catch (thrown) {
      this.onBadPreface(RpcError.from(thrown))
      throw thrown
    }
    if (this.#link.setState('ready')) this.onState('ready')
  }

  // Ours comes first, or the peer could not read why.
  onBadPreface({ code, message }: RpcError): void {
    const names = this.#room.codecs.map(({ name }) => name)
    this.#link.sendPreface({ ...prefaceOf(this.#room.limits, names), refused: { code, message } })
  }

  onPart(id: number): boolean {
    return this.#calls.has(id) || this.#ids.beginPart(id)
  }

  onLost(type: FrameType, id: number): void {
    if (type === frameTypes.call || this.#calls.has(id))
      throw new RpcError('invalid_argument', `the end of a message for call ${id} whose parts never came`)
  }

  onMessage(type: FrameType, id: number, reader: Reader): void {
    if (type === frameTypes.call) return this.#onCall(id, reader)
    const served = this.#calls.get(id)
    if (served === undefined) return this.#onStray(type, id)
    switch (type) {
      case frameTypes.item:
        return this.#onItem(served, reader)
      case frameTypes.end:
        if (served.input === undefined) return
        served.input.ended = true
        return served.input.stream.finish()
      case frameTypes.cancel: {
        const { code, message } = readReason(reader)
        return this.#abandon(served, remoteError(code, message, { phase: 'handle' }), false)
      }
      default:
        throw new RpcError('invalid_argument', `a client cannot send frame type ${type}`)
    }
  }

  onOversize(type: FrameType, id: number, reader: Reader): void {
    const { limits } = this.#room
    const error = new RpcError(
      'resource_exhausted',
      `a message of more than the ${limits.maxMessageBytes} bytes that are allowed (limits.maxMessageBytes)`,
      { phase: 'read' },
    )
    const served = this.#calls.get(id)
    if (served !== undefined) return this.#abandon(served, error, true)
    if (type !== frameTypes.call) return
    this.#ids.begin(id)
    // The head of the call is in what was kept of it.
    if (!readCallHead(reader, limits).oneway) this.#replies.refuse(id, error)
  }

  onDrain(): void {
    throw new RpcError('invalid_argument', 'a client cannot drain; it closes')
  }

  onClosed(reason: RpcError | undefined): void {
    const why = reason === undefined ? '' : `: ${reason.message}`
    const error = new RpcError('cancelled', `the connection to the caller was lost${why}`, {
      cause: reason,
      phase: 'write',
    })
    for (const served of this.#calls.all()) this.#abandon(served, error, false)
    this.onState('closed', reason)
  }

  outgoing(id: number): OutgoingStream | undefined {
    return this.#calls.get(id)?.output
  }

  #onCall(id: number, reader: Reader): void {
    this.#ids.begin(id)
    const read = readCallHead(reader, this.#room.limits, this.#read)
    const entry = this.#methods.resolve(read)
    const refusal = read.problem ?? this.#refusal(id, entry)
    if (refusal === undefined) this.#serve(id, read, entry, reader)
    else if (!read.oneway) this.#replies.refuse(id, refusal)
  }

  #onStray(type: FrameType, id: number): void {
    if (id === 0) throw new RpcError('invalid_argument', `frame type ${type} needs the id of a call`)
    if (id > this.#ids.last) {
      // Only a call that was cancelled before all of it was sent may be heard of like this.
      throw new RpcError('invalid_argument', `frame type ${type} for call ${id}, which was never made`)
    }
    // News of a call that is over has crossed its reply on the way.
    if (type === frameTypes.cancel) {
      this.#link.outbox.drop(id)
      this.#link.assemblies.drop(id)
      this.#ids.forget(id)
    }
  }

  #refusal(id: number, { service, method }: MethodRef): RpcError | undefined {
    const { maxCalls } = this.#room.limits
    if (id > this.#lastAccepted) return markNotExecuted(new RpcError('unavailable', 'the server is draining'))
    if (this.#calls.size >= maxCalls)
      return markNotExecuted(tooMany(`${maxCalls} calls of this connection are in flight`, 'maxCalls'))
    if (this.#running >= maxCalls + cancelledBurst) return markNotExecuted(tooManyRunning(this.#running))
    const isStream =
      this.#streams >= this.#room.limits.maxStreams && this.#room.info(service, method)?.output === 'stream'
    return isStream ? markNotExecuted(tooManyStreams(this.#streams)) : undefined
  }

  #tellInfo({ ref, service, method }: MethodRef): void {
    const info = this.#room.info(service, method)
    if (info === undefined) return
    const { out } = this.#link.wire
    const start = beginFrame(out, frameTypes.method, ref)
    writeMethodInfo(out, info)
    endFrame(out, start)
    out.commit()
  }

  #serve(id: number, read: ReadCall, { service, method }: MethodRef, reader: Reader): void {
    const { clock } = this.#room
    const input = read.stream === undefined ? undefined : this.#streaming.openInput(id)
    const args = new LazyArguments(this.#link.codec, read, input?.stream, reader)
    const startedAt = clock.recent()
    const call = new Call({
      clock,
      service,
      method,
      args,
      deadline: read.timeoutMs === undefined ? Number.POSITIVE_INFINITY : startedAt + read.timeoutMs,
      bounded: read.bounded,
      oneway: read.oneway,
      peer: this.#link.wire.peer,
      metadata: read.metadata,
      key: read.key,
      attempt: read.attempt,
      startedAt,
      phase: 'read',
    })
    const served = new ServerCall(id, call, this)
    served.input = input
    this.#calls.add(served)
    this.#running++
    call.onCancel(served)
    this.#run(served)
    // Nothing can be told while it runs, and most are over by now: 50 ns less for these.
    if (!served.settled) call.watchDeadline()
    args.detach()
  }

  #run(served: ServerCall): void {
    let reply: Reply | PromiseLike<Reply>
    try {
      reply = this.#handler(served.call)
    } catch (thrown) {
      return this.#onFailure(served, thrown)
    }
    // A synchronous answer is written in the turn in which its call was read.
    if (!isPending(reply)) return this.#onReply(served, reply)
    reply.then(
      (value) => this.#onReply(served, value),
      (thrown: unknown) => this.#onFailure(served, thrown),
    )
  }

  #onReply(served: ServerCall, reply: Reply): void {
    if (isStream(reply)) return this.#stream(served, reply)
    this.#stopped(served)
    if (served.settled) return
    const { call } = served
    call.begin()
    call.phase = 'write'
    this.#settle(served)
    this.#end(served, call.oneway ? undefined : this.#replies.value(served, reply))
  }

  #onFailure(served: ServerCall, thrown: unknown): void {
    this.#stopped(served)
    if (served.settled) return
    const error = RpcError.from(thrown, 'internal', 'handle')
    this.#settle(served)
    if (!served.call.oneway) this.#replies.error(served, error, isNotExecuted(error))
    this.#end(served, error)
  }

  #stream(served: ServerCall, iterable: AsyncIterable<unknown>): void {
    const { call } = served
    const output = this.#streaming.openOutput(served, iterable, {
      end: () => this.#onStreamEnd(served),
      error: (thrown) => this.#onFailure(served, thrown),
    })
    served.output = output
    if (served.settled) return this.#stopOutput(served, output)
    const refusal = this.#streamRefusal(call)
    this.#streams++
    served.streaming = true
    if (refusal !== undefined) return this.#abandon(served, refusal, true)
    call.begin()
    output.wake()
    if (!served.headSent) this.#room.clock.defer(() => this.#streaming.sendHead(served))
  }

  #streamRefusal(call: Call): RpcError | undefined {
    if (call.oneway)
      return new RpcError(
        'failed_precondition',
        `${call.name} answers with a stream and cannot be called one-way`,
      )
    return this.#streams < this.#room.limits.maxStreams ? undefined : tooManyStreams(this.#streams)
  }

  #onStreamEnd(served: ServerCall): void {
    this.#stopped(served)
    if (served.settled) return
    this.#streaming.sendHead(served)
    this.#settle(served)
    this.#replies.end(served)
    this.#end(served, undefined)
  }

  #onItem(served: ServerCall, reader: Reader): void {
    const { input, id } = served
    if (input === undefined || input.ended)
      throw new RpcError('invalid_argument', `an item for call ${id}, which takes none`)
    const cost = reader.left + itemOverhead
    input.window.receive(cost)
    try {
      this.#streaming.onItem(input, cost, reader)
    } catch (thrown) {
      this.#abandon(served, RpcError.from(thrown, 'invalid_argument', 'read'), true)
    }
  }

  /** The call was cancelled on this side: its time is over, or somebody here wants no more of it. */
  giveUp(served: ServerCall, reason: RpcError): void {
    this.#abandon(served, reason, true)
  }

  /** The call ends before its handler has: cancelled, expired, broken off, refused. */
  #abandon(served: ServerCall, reason: RpcError, tell: boolean): void {
    if (served.settled) return
    const { call, output } = served
    this.#link.outbox.drop(served.id)
    this.#settle(served)
    if (tell && !call.oneway) this.#replies.error(served, reason, false)
    call.cancel(reason)
    if (output !== undefined) this.#stopOutput(served, output)
    this.#end(served, reason)
  }

  #stopOutput(served: ServerCall, output: OutgoingStream): void {
    this.#streaming.stopOutput(served, output, () => this.#stopped(served))
  }

  // The handler has finished, whether or not anybody still waits for it.
  #stopped(served: ServerCall): void {
    if (!served.running) return
    served.running = false
    this.#running--
  }

  // The reply is decided: after its last frame nothing more of this call comes or goes.
  #settle(served: ServerCall): void {
    served.settled = true
    this.#calls.delete(served.id)
    if (served.streaming) this.#streams--
    if (served.output !== undefined) this.#link.credit.release(served.output)
    if (served.input === undefined) return
    this.#streaming.closeInput(
      served.id,
      served.input,
      new RpcError('cancelled', `${served.call.name} has ended, and its input with it`),
    )
  }

  #end(served: ServerCall, error: RpcError | undefined): void {
    served.call.end(error, error !== undefined && isNotExecuted(error))
    this.#link.checkUnsent()
    this.#finishIfDrained()
  }

  #finishIfDrained(): void {
    if (this.state === 'draining' && this.#calls.size === 0) void this.#link.finish()
  }
}
