import type { Reader } from '../../core/bytes/varint.ts'
import type { Call } from '../../core/call.ts'
import type { Codec } from '../../core/codec.ts'
import { markNotExecuted, remoteError, RpcError } from '../../core/error.ts'
import { ItemStream } from '../../core/item-stream.ts'
import type { Reply } from '../../core/layer.ts'
import { fail } from '../../core/settle.ts'
import type { Wire } from '../../transports/transport.ts'
import type { ClientSession, Room, SessionState } from '../protocol.ts'
import { splitArguments } from './arguments.ts'
import { CallWriter } from './call-writer.ts'
import { CallTable } from './call-table.ts'
import { type Carrier, ClientCall } from './client-call.ts'
import { inPhase, lostCall, notTaken, unsentCall } from './client-errors.ts'
import { checkChosen, firstCodec, openCodec } from './codecs.ts'
import { readMethodInfo, readReason, readReplyHead } from './decode.ts'
import { type FrameType, frameTypes, itemOverhead, replyFlags } from './frames.ts'
import { Link, type LinkOwner } from './link.ts'
import { OutgoingMethodRefs } from './method-refs.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import { type Preface, prefaceOf, protocolVersion, refusalError } from './preface.ts'
import { StreamsTaken } from './streams-taken.ts'

/** The client's side of a connection. */
export function dialFarcall(wire: Wire, room: Room): ClientSession {
  return new FarcallClient(wire, room)
}

class FarcallClient implements ClientSession, LinkOwner, Carrier {
  onState: (state: SessionState, reason?: RpcError) => void = () => {}
  readonly #link: Link
  readonly #room: Room
  readonly #codec: Codec
  readonly #calls = new CallTable<ClientCall>()
  readonly #methods = new OutgoingMethodRefs()
  readonly #writer: CallWriter
  #nextId = 1
  readonly #taken = new StreamsTaken()
  /** The peer takes no calls above this. */
  #lastAccepted = Number.POSITIVE_INFINITY

  constructor(wire: Wire, room: Room) {
    this.#room = room
    this.#codec = firstCodec(room.codecs)
    this.#link = new Link(wire, room, this, openCodec(this.#codec, room.limits, undefined))
    this.#writer = new CallWriter(this.#link, this.#methods)
    this.#link.sendPreface(
      prefaceOf(
        room.limits,
        room.codecs.map(({ name }) => name),
      ),
    )
  }

  get state(): SessionState {
    return this.#link.state
  }

  get inFlight(): number {
    return this.#calls.size
  }

  /** A connection whose streams are used up counts as full: whether the next call is a stream may not be known. */
  get limit(): number {
    const { maxCalls, maxStreams } = this.#link.peer ?? this.#room.limits
    // Where streams are not allowed at all, the peer says so to who wants one.
    return maxStreams > 0 && this.#taken.count >= maxStreams ? this.#calls.size : maxCalls
  }

  readonly call = (call: Call): Reply | PromiseLike<Reply> => {
    const refusal = this.#refusal()
    if (refusal !== undefined) return fail(call, refusal)
    const pending = new ClientCall(this.#nextId, call, this)
    call.phase = 'send'
    call.meet(this.#link.wire.peer)
    try {
      this.#send(pending)
    } catch (thrown) {
      pending.input = undefined
      return fail(call, markNotExecuted(inPhase(RpcError.from(thrown, 'invalid_argument'), 'send')))
    }
    return pending.promise
  }

  drain(): void {
    if (!this.#link.setState('draining')) return
    this.onState('draining')
    this.#finishIfDrained()
  }

  async close(reason?: RpcError): Promise<void> {
    if (this.state !== 'closed') {
      const error =
        reason ?? new RpcError('unavailable', 'the connection was closed on this side', { phase: 'wait' })
      for (const pending of this.#calls.all()) this.giveUp(pending, error)
      return this.#link.finish()
    }
    return this.#link.closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #refusal(): RpcError | undefined {
    if (this.state === 'opening' || this.state === 'ready') return undefined
    return markNotExecuted(
      new RpcError('unavailable', `the connection to ${this.#link.wire.peer.address} is ${this.state}`, {
        phase: 'send',
      }),
    )
  }

  #send(pending: ClientCall): void {
    const { call, id } = pending
    const args = splitArguments(call.args)
    pending.sent = this.#writer.write(call, id, args, pending)
    this.#nextId++
    if (call.oneway) {
      // Settled as soon as it is on its way: there is no answer to wait for.
      this.#link.wire.flush()
      return pending.succeed(undefined)
    }
    this.#calls.add(pending)
    // Where it is known beforehand, so that a burst of streams does not meet the peer's limit.
    this.#taken.start(pending, call.info ?? this.#room.info(call.service, call.method))
    call.phase = 'wait'
    call.onCancel(pending)
    if (args.stream !== undefined && !call.ended) {
      pending.input = this.#openInput(pending, args.stream)
      if (pending.sent) pending.input.wake()
    }
  }

  #openInput(pending: ClientCall, iterable: AsyncIterable<unknown>): OutgoingStream {
    const { id, call } = pending
    return new OutgoingStream(iterable, {
      id,
      sink: this.#link,
      credit: this.#link.credit.perStream,
      call: undefined,
      reusable: true,
      onFirst: () => call.takeInput(),
      onEnd: () => this.#endInput(pending),
      onError: (error) => this.giveUp(pending, RpcError.from(error, 'aborted', 'send')),
    })
  }

  #endInput(pending: ClientCall): void {
    this.#link.sendSmall(frameTypes.end, pending.id, 0)
    if (pending.input !== undefined) this.#link.credit.release(pending.input)
  }

  #stopInput(pending: ClientCall): void {
    if (pending.input === undefined) return
    this.#link.outbox.drop(pending.id)
    void pending.input.stop()
    this.#link.credit.release(pending.input)
  }

  /** The caller wants no more: it is settled here and now, the peer is told. */
  giveUp(pending: ClientCall, reason: RpcError): void {
    if (!this.#remove(pending)) return
    const dropped = this.#link.outbox.drop(pending.id)
    this.#link.assemblies.drop(pending.id)
    // A call of which the peer has not heard need not be taken back.
    if (pending.sent || dropped !== 'unsent') this.#link.sendReason(frameTypes.cancel, pending.id, reason)
    // The reason may be that of other calls too: what is true of this one is said of a copy.
    const error = pending.sent ? reason : unsentCall(reason)
    if (pending.stream !== undefined) {
      pending.stream.cancel(error)
      pending.call.end(error)
    } else pending.fail(error)
    this.#finishIfDrained()
  }

  #remove(pending: ClientCall): boolean {
    if (!this.#calls.delete(pending.id)) return false
    this.#taken.remove(pending)
    pending.window?.close()
    if (pending.sent) this.#stopInput(pending)
    return true
  }

  // Ours was sent when the connection was made.
  onBadPreface(): void {}

  onPreface(preface: Preface): void {
    if (preface.refused !== undefined) throw refusalError(preface)
    if (preface.versions[0] !== protocolVersion) {
      throw markNotExecuted(
        new RpcError(
          'unimplemented',
          `the server chose version ${preface.versions[0]}, this client speaks ${protocolVersion}`,
          { phase: 'negotiate' },
        ),
      )
    }
    checkChosen(this.#codec, preface)
    // What was sent until now needed nothing that the peer has not; from here on it may.
    this.#link.codec = openCodec(this.#codec, this.#room.limits, preface)
    if (this.state === 'opening' && this.#link.setState('ready')) this.onState('ready')
  }

  onPart(id: number): boolean {
    return this.#calls.has(id)
  }

  onLost(_type: FrameType, id: number): void {
    if (this.#calls.has(id))
      throw new RpcError('invalid_argument', `the end of a message for call ${id} whose parts never came`)
  }

  onMessage(type: FrameType, id: number, reader: Reader): void {
    if (type === frameTypes.method) return this.#learn(id, reader)
    const pending = this.#calls.get(id)
    if (pending === undefined) {
      // Late news of a call that was cancelled here is normal; of one that was never made it is not.
      if (id === 0 || id >= this.#nextId)
        throw new RpcError('invalid_argument', `a reply to call ${id}, which was never made`)
      return
    }
    switch (type) {
      case frameTypes.reply:
        return this.#onReply(pending, reader)
      case frameTypes.error:
        return this.#onError(pending, reader)
      case frameTypes.head:
        return this.#onHead(pending, reader)
      case frameTypes.item:
        return this.#onItem(pending, reader)
      case frameTypes.end:
        return this.#onEnd(pending, reader)
      case frameTypes.cancel:
        // The callee has left the loop over our input; the call goes on.
        this.#stopInput(pending)
        return
      default:
        throw new RpcError('invalid_argument', `a server cannot send frame type ${type}`)
    }
  }

  onOversize(_type: FrameType, id: number, _reader: Reader): void {
    const pending = this.#calls.get(id)
    if (pending === undefined) return
    this.giveUp(
      pending,
      new RpcError(
        'resource_exhausted',
        `${pending.call.name} answered with more than the ${this.#room.limits.maxMessageBytes} bytes that are allowed (limits.maxMessageBytes)`,
        { phase: 'receive' },
      ),
    )
  }

  onDrain(lastId: number): void {
    this.#lastAccepted = lastId
    if (this.#link.setState('draining')) this.onState('draining')
    for (const pending of this.#calls.all()) {
      if (pending.id > lastId) this.#settle(pending, this.#lost(pending, undefined))
    }
    this.#finishIfDrained()
  }

  onClosed(reason: RpcError | undefined): void {
    this.#failAll(reason)
    this.onState('closed', reason)
  }

  outgoing(id: number): OutgoingStream | undefined {
    return this.#calls.get(id)?.input
  }

  #onReply(pending: ClientCall, reader: Reader): void {
    this.#readReplyHead(pending, reader)
    pending.call.begin()
    let value: unknown
    try {
      value = this.#link.codec.decode(reader.bytes, reader.at, reader.end)
    } catch (thrown) {
      return this.#settle(pending, inPhase(RpcError.from(thrown), 'receive'))
    }
    this.#taken.answered(pending)
    this.#remove(pending)
    pending.succeed(value)
    this.#finishIfDrained()
  }

  #onError(pending: ClientCall, reader: Reader): void {
    // No reply has begun: another attempt may still be made.
    const flags = this.#readReplyHead(pending, reader)
    const { code, message } = readReason(reader)
    const extra =
      flags & replyFlags.extra
        ? (this.#link.codec.decode(reader.bytes, reader.at, reader.end) as Record<string, unknown>)
        : undefined
    const error = remoteError(code, message, {
      phase: 'receive',
      details: extra?.['details'],
      reason: typeof extra?.['reason'] === 'string' ? extra['reason'] : undefined,
      metadata: extra?.['metadata'] as Record<string, string> | undefined,
    })
    this.#settle(pending, flags & replyFlags.notExecuted ? markNotExecuted(error) : error)
  }

  #onHead(pending: ClientCall, reader: Reader): void {
    if (pending.stream !== undefined)
      throw new RpcError('invalid_argument', `call ${pending.id} has two heads`)
    this.#readReplyHead(pending, reader)
    pending.call.begin()
    this.#taken.add(pending)
    const window = this.#link.received.open(pending.id, this.#room.limits.streamWindowBytes)
    const stream = new ItemStream({
      onTaken: (cost) => window.take(cost),
      onLeft: (reason) => this.giveUp(pending, reason),
    })
    pending.become(stream, window)
  }

  #onItem(pending: ClientCall, reader: Reader): void {
    const { stream, call } = pending
    if (stream === undefined)
      throw new RpcError('invalid_argument', `an item of call ${pending.id} before its head`)
    const cost = reader.left + itemOverhead
    pending.window?.receive(cost)
    let item: unknown
    try {
      item = this.#link.codec.decode(reader.bytes, reader.at, reader.end)
    } catch (thrown) {
      return this.giveUp(pending, inPhase(RpcError.from(thrown), 'receive'))
    }
    call.liftDeadline()
    stream.push(item, cost)
  }

  #onEnd(pending: ClientCall, reader: Reader): void {
    if (pending.stream === undefined)
      throw new RpcError('invalid_argument', `the end of call ${pending.id} before its head`)
    this.#readReplyHead(pending, reader)
    this.#remove(pending)
    pending.stream.finish()
    pending.call.end()
    this.#finishIfDrained()
  }

  #readReplyHead(pending: ClientCall, reader: Reader): number {
    const { call } = pending
    call.phase = 'receive'
    const { flags, head, trailer } = readReplyHead(reader, this.#room.limits)
    if (head !== undefined) call.receive('head', head)
    if (trailer !== undefined) call.receive('trailer', trailer)
    return flags
  }

  #learn(ref: number, reader: Reader): void {
    const method = this.#methods.get(ref)
    if (method === undefined)
      throw new RpcError('invalid_argument', `news of method number ${ref}, which was never defined`)
    const info = readMethodInfo(reader)
    this.#room.learn(method.service, method.method, info)
    // Calls may be waiting for the room that the doubt has taken.
    if (this.#taken.learn(method, info.output) && this.state === 'ready') this.onState('ready')
  }

  #settle(pending: ClientCall, error: RpcError): void {
    this.#remove(pending)
    pending.fail(error)
    this.#finishIfDrained()
  }

  #lost(pending: ClientCall, reason: RpcError | undefined): RpcError {
    const { wire, peer, outbox } = this.#link
    const { address } = wire.peer
    if (pending.id > this.#lastAccepted) return notTaken(address)
    outbox.drop(pending.id)
    const unsent = !pending.sent || peer?.refused !== undefined
    return lostCall(address, peer === undefined ? 'negotiate' : 'wait', { reason, unsent })
  }

  #failAll(reason: RpcError | undefined): void {
    for (const pending of this.#calls.all()) {
      const error = this.#lost(pending, reason)
      if (this.#remove(pending)) pending.fail(error)
    }
  }

  #finishIfDrained(): void {
    if (this.state === 'draining' && this.#calls.size === 0) void this.#link.finish()
  }
}
