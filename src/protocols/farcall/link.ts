import { spareBuffers } from '../../core/bytes/spare-buffers.ts'
import type { CodecSession } from '../../core/codec.ts'
import { Reader } from '../../core/bytes/varint.ts'
import { isErrorCode } from '../../core/code.ts'
import { RpcError } from '../../core/error.ts'
import type { Wire } from '../../transports/transport.ts'
import type { Room, SessionState } from '../protocol.ts'
import { Assemblies } from './assemblies.ts'
import { readReason } from './decode.ts'
import { beginFrame, endFrame, writeReason, writeSmallFrame } from './encode.ts'
import { FrameReader } from './frame-reader.ts'
import {
  criticalBit,
  type FrameType,
  frameTypes,
  isMessage,
  itemOverhead,
  joinedBit,
  maxFrameBytes,
} from './frames.ts'
import { Keepalive } from './keepalive.ts'
import { Outbox } from './outbox.ts'
import type { OutgoingStream, StreamSink } from './outgoing-stream.ts'
import { ReceiveCredit } from './receive-window.ts'
import { SendCredit } from './send-credit.ts'
import { unanswered } from './client-errors.ts'
import { encodePreface, type Preface, PrefaceReader } from './preface.ts'

/** What a side of the protocol does with what arrives. Errors thrown here break the connection, not the process. */
export interface LinkOwner {
  /** The peer's preface has come; throws to refuse it. */
  onPreface(preface: Preface): void
  /** What the peer began with is no preface that can be understood; the connection is about to be broken. */
  onBadPreface(error: RpcError): void
  /** A part of a message has come; whether its call still wants it. */
  onPart(id: number): boolean
  /** The end of a message in parts has come whose parts were not kept. */
  onLost(type: FrameType, id: number): void
  /** A whole message: one of the frame types that belong to a call. The reader holds its body. */
  onMessage(type: FrameType, id: number, reader: Reader): void
  /** A message that is larger than allowed; of its body only the beginning is there. */
  onOversize(type: FrameType, id: number, reader: Reader): void
  /** The peer takes no calls above this id. */
  onDrain(lastId: number): void
  /** The connection is gone; called once. */
  onClosed(reason: RpcError | undefined): void
  /** The outgoing stream with this id, if it is still there. */
  outgoing(id: number): OutgoingStream | undefined
}

// How many calls are read at a time. A chunk may bring thousands and cancel them again: those that have begun must have had
// a turn to end in, before more begin, or they would count as handlers that do not heed it.
const callsAtOnce = 1000

/**
 * What both sides of a connection have in common: frames in and out, parts, credit, keepalive, and the end. It knows
 * nothing of calls; client.ts and server.ts do.
 */
export class Link implements StreamSink {
  readonly wire: Wire
  readonly room: Room
  readonly outbox: Outbox
  readonly assemblies: Assemblies
  /** Chosen when the prefaces are known; a client begins with its first. */
  codec: CodecSession
  state: SessionState = 'opening'
  peer: Preface | undefined
  /** How much we may send in streams. */
  readonly credit = new SendCredit()
  /** What the peer is told of what was taken from its streams. */
  readonly received = new ReceiveCredit((id, amount) => this.sendSmall(frameTypes.credit, id, amount))

  readonly #owner: LinkOwner
  readonly #frames: FrameReader
  readonly #reader = new Reader(new Uint8Array(0))
  readonly #keepalive: Keepalive
  #preface: PrefaceReader | undefined = new PrefaceReader()
  // Frames come after our preface: before, the peer could not read them.
  #greeted = false
  #callsRead = 0
  #reason: RpcError | undefined
  #closed: Promise<void>
  #resolveClosed: () => void = () => {}

  constructor(wire: Wire, room: Room, owner: LinkOwner, codec: CodecSession) {
    this.wire = wire
    this.room = room
    this.codec = codec
    this.#owner = owner
    this.outbox = new Outbox(wire.out, room.limits, room.clock)
    this.assemblies = new Assemblies(room.limits.maxMessageBytes)
    this.#frames = new FrameReader(maxFrameBytes, (type, bytes, start, end) =>
      this.#onFrame(type, bytes, start, end),
    )
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#keepalive = new Keepalive(room.clock, room.limits, {
      ping: () => this.#ping(frameTypes.ping, new Uint8Array(8)),
      dead: (reason) => this.abort(reason),
    })
    wire.onData = (chunk) => this.#onData(chunk)
    wire.onEnd = () => this.#onEnd()
    wire.onDrain = () => this.#onDrained()
    wire.onClose = (error) => this.#onClose(error)
  }

  sendPreface(preface: Preface): void {
    this.#greeted = true
    const bytes = encodePreface(preface)
    const { out } = this.wire
    out.ensure(bytes.length)
    out.bytes.set(bytes, out.at)
    out.at += bytes.length
    out.commit()
  }

  /** A frame without a body, or with one number. */
  sendSmall(type: FrameType, id: number, value?: number): void {
    if (this.state === 'closed' || !this.#greeted) return
    writeSmallFrame(this.wire.out, type, id, value)
    this.wire.out.commit()
  }

  /** CANCEL, or CLOSE with id 0. */
  sendReason(type: FrameType, id: number, reason: RpcError): void {
    if (this.state === 'closed' || !this.#greeted) return
    const start = beginFrame(this.wire.out, type, id)
    writeReason(this.wire.out, reason)
    endFrame(this.wire.out, start)
    this.wire.out.commit()
    this.checkUnsent()
  }

  /** A peer that does not read what it asked for must not fill our memory. */
  checkUnsent(): void {
    if (this.wire.out.queued <= this.room.limits.maxUnsentBytes) return
    this.abort(
      new RpcError(
        'resource_exhausted',
        `the peer ${this.wire.peer.address} does not read its answers: ${this.wire.out.queued} bytes wait, closed`,
        { phase: 'write' },
      ),
    )
  }

  // Credit for what we send.

  mayStart(stream: OutgoingStream): boolean {
    return this.state !== 'closed' && this.credit.allows(stream) && !this.outbox.congested
  }

  park(stream: OutgoingStream): void {
    if (this.state !== 'closed') this.credit.park(stream)
  }

  send(stream: OutgoingStream, item: unknown): boolean {
    const { out } = this.wire
    let start: number
    do {
      start = beginFrame(out, frameTypes.item, stream.id)
      this.encode(item, start)
    } while (this.outbox.definitionsFirst(this.codec, start))
    const cost = out.at - start - stream.headBytes + itemOverhead
    const sent = this.outbox.finish(start, frameTypes.item, stream.id, false, stream)
    this.credit.spend(stream, cost)
    return sent
  }

  /** Encodes into the frame that began at `start`; takes the frame back if the value cannot travel. */
  encode(value: unknown, start: number): void {
    try {
      this.codec.encode(value, this.wire.out)
    } catch (error) {
      this.wire.out.at = start
      throw error
    }
  }

  // The end.

  setState(state: SessionState): boolean {
    if (this.state === 'closed' || this.state === state) return false
    this.state = state
    return true
  }

  /** Breaks the connection: tells the peer why, and is gone. */
  abort(reason: RpcError): void {
    if (this.state === 'closed') return
    this.#reason ??= reason
    this.sendReason(frameTypes.close, 0, reason)
    this.wire.flush()
    this.wire.close(reason)
  }

  /**
   * Ends in good order: sends what is left and waits for the peer to end too, for at most a second. Closing at once
   * could take back from the peer what it has not read yet.
   */
  finish(): Promise<void> {
    if (this.state === 'closed') return this.#closed
    this.wire.end()
    const cancel = this.room.clock.after(1000, () => this.wire.close())
    return this.#closed.finally(cancel)
  }

  get closed(): Promise<void> {
    return this.#closed
  }

  // What arrives.

  #onData(chunk: Uint8Array): void {
    if (this.state === 'closed') return
    this.#keepalive.heard()
    try {
      if (this.#preface === undefined) this.#readFrames(chunk, 0)
      else this.#readPreface(this.#preface, chunk)
    } catch (error) {
      this.#protocolError(RpcError.from(error, 'internal', 'read'))
    }
  }

  #readPreface(reader: PrefaceReader, chunk: Uint8Array): void {
    let result: ReturnType<PrefaceReader['push']>
    try {
      result = reader.push(chunk)
    } catch (thrown) {
      this.#owner.onBadPreface(RpcError.from(thrown))
      throw thrown
    }
    if (result === undefined) return
    this.#preface = undefined
    const { preface, used } = result
    this.peer = preface
    this.outbox.peerFrameBytes = Math.min(preface.maxFrameBytes, maxFrameBytes)
    this.outbox.peerMessageBytes = preface.maxMessageBytes
    this.credit.learn(preface.streamWindowBytes, preface.connectionWindowBytes)
    this.#owner.onPreface(preface)
    if (this.wireOpen) this.#readFrames(chunk, used)
    this.outbox.pump()
  }

  #readFrames(chunk: Uint8Array, from: number): void {
    this.#callsRead = 0
    const end = this.#frames.push(chunk, from)
    if (end < chunk.length && this.wireOpen) this.wire.unread(chunk.subarray(end))
  }

  /** Bytes of messages that have not all come, or not all left. */
  get held(): number {
    return this.assemblies.held + this.outbox.held
  }

  get wireOpen(): boolean {
    return this.state !== 'closed' && this.#reason === undefined
  }

  #onFrame(type: number, bytes: Uint8Array, start: number, end: number): void {
    if (!this.wireOpen) return
    const reader = this.#reader
    reader.reset(bytes, start, end)
    const id = reader.varint()
    if (isMessage(type & ~joinedBit)) return this.#onMessage(type, id, reader)
    switch (type) {
      case frameTypes.cancel:
      case frameTypes.method:
        return this.#owner.onMessage(type, id, reader)
      case frameTypes.part:
        // What comes of a message whose call has ended is nobody's any more.
        if (this.#owner.onPart(id)) this.assemblies.add(id, bytes, reader.at, end)
        return
      case frameTypes.credit:
        return this.#onCredit(id, reader.varint())
      case frameTypes.ping:
        return this.#ping(frameTypes.pong, bytes.slice(reader.at, Math.min(end, reader.at + 8)))
      case frameTypes.pong:
        return this.outbox.answered(bytes.subarray(reader.at, end))
      case frameTypes.drain:
        return this.#owner.onDrain(id)
      case frameTypes.define:
        return this.codec.define?.(bytes, reader.at, end)
      case frameTypes.close:
        return this.#onPeerClose(reader)
      default:
        // A later version may send more; what must not be skipped says so.
        if (type & criticalBit)
          throw new RpcError('unimplemented', `frame type ${type} is unknown here and must not be skipped`)
    }
  }

  #onMessage(type: number, id: number, reader: Reader): void {
    const plain = (type & ~joinedBit) as FrameType
    if (plain === frameTypes.call && ++this.#callsRead === callsAtOnce) this.#frames.stop()
    if (plain === type) {
      // A message that was begun in parts and is not finished has been given up for this one.
      this.assemblies.drop(id)
      return this.#owner.onMessage(plain, id, reader)
    }
    const whole = this.assemblies.finish(id, reader.bytes, reader.at, reader.end)
    if (whole === undefined) return this.#owner.onLost(plain, id)
    const assembled = new Reader(whole.bytes, 0, whole.length)
    if (whole.oversize) this.#owner.onOversize(plain, id, assembled)
    else this.#owner.onMessage(plain, id, assembled)
    // As with a chunk, whoever keeps something of it has made a copy.
    spareBuffers.give(whole.bytes)
  }

  #onCredit(id: number, amount: number): void {
    const stream = this.#owner.outgoing(id)
    if (stream !== undefined) this.credit.give(stream, amount)
  }

  #ping(type: typeof frameTypes.ping | typeof frameTypes.pong, payload: Uint8Array): void {
    if (this.state === 'closed' || !this.#greeted) return
    this.outbox.ping(type, payload)
    this.checkUnsent()
  }

  #onPeerClose(reader: Reader): void {
    const { code, message } = readReason(reader)
    this.#reason = new RpcError(
      isErrorCode(code) ? code : 'unavailable',
      `${this.wire.peer.address} closed the connection: ${message}`,
      { phase: 'receive' },
    )
    this.wire.close(this.#reason)
  }

  #protocolError(error: RpcError): void {
    const peer = this.wire.peer.address
    this.room.report(
      new RpcError(error.code, `${peer} broke the protocol: ${error.message}`, {
        cause: error,
        phase: 'read',
      }),
      { peer },
    )
    this.abort(error)
  }

  #onEnd(): void {
    // Who has greeted and has no answer is the client.
    if (this.#greeted && this.#preface !== undefined) return this.wire.close(unanswered(this.wire.peer))
    // The peer has said all that it will; if a frame was cut, or nothing is owed to it, neither will we.
    if (!this.#frames.atBoundary || this.#preface !== undefined) {
      return this.wire.close(
        new RpcError(
          'unavailable',
          `${this.wire.peer.address} ended the connection in the middle of a message`,
        ),
      )
    }
    this.wire.end()
  }

  #onDrained(): void {
    this.outbox.pump()
    this.credit.wakeAll()
  }

  #onClose(error: RpcError | undefined): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.#keepalive.stop()
    this.credit.clear()
    this.assemblies.clear()
    this.#owner.onClosed(this.#reason ?? error)
    this.outbox.clear()
    this.#resolveClosed()
  }
}
