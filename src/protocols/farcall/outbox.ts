import { spareBuffers } from '../../core/bytes/spare-buffers.ts'
import type { Clock } from '../../core/clock.ts'
import type { CodecSession } from '../../core/codec.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import type { WireOutput } from '../../transports/transport.ts'
import { beginFrame, endFrame, writePing } from './encode.ts'
import {
  type FrameType,
  frameHeadBytes,
  frameTypes,
  joinedBit,
  maxAssemblies,
  minFrameBytes,
} from './frames.ts'
import { Pace } from './pace.ts'

/** Who is told that the last of a large message has left. */
export interface Sender {
  left(): void
}

interface Large {
  readonly type: FrameType
  readonly id: number
  readonly body: Uint8Array
  sent: number
  sender: Sender | undefined
}

// What may stand unsent in front of a small frame: little enough not to hold it up, enough to keep a link busy.
const partsAheadBytes = 256 * 1024
const maxIdBytes = 8
// A part with its length. Four fill a buffer of the wire's output, which then never has to grow for one.
const partBytes = 16 * 1024 - 4
// What is sent in one turn: a system that takes megabytes at once would otherwise keep all else waiting meanwhile.
const turnBytes = 256 * 1024

/**
 * Sends frames. One that is small enough is written straight into the wire's output. A larger one is cut into parts
 * which are sent a few at a time, in turn with those of other large messages, so that small frames pass in between.
 */
export class Outbox {
  /** What the peer takes; its preface says. Until then what every peer must take. */
  peerFrameBytes = minFrameBytes
  peerMessageBytes: number
  readonly #out: WireOutput
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #pace: Pace
  #scheduled = false
  // In turn; the first `maxAssemblies` are under way.
  #large: Large[] = []
  #turn = 0
  #waitingBytes = 0

  constructor(out: WireOutput, limits: Limits, clock: Clock) {
    this.#out = out
    this.#limits = limits
    this.#clock = clock
    this.#pace = new Pace(clock, (payload) => this.ping(frameTypes.ping, payload))
    this.peerMessageBytes = limits.maxMessageBytes
  }

  /** Bytes of messages that wait to be written. */
  get held(): number {
    return this.#waitingBytes
  }

  /** Whether the wire is full enough that whoever can wait, should. */
  get congested(): boolean {
    return this.#out.queued > partsAheadBytes
  }

  /**
   * After an `encode` into the frame that began at `start`: if the codec made definitions, they must go first. Then it
   * takes the frame back, writes them and returns true, and the caller writes the frame again.
   */
  definitionsFirst(codec: CodecSession, start: number): boolean {
    const definitions = codec.takeDefinitions?.()
    if (definitions === undefined) return false
    this.#out.at = start
    const define = beginFrame(this.#out, frameTypes.define, 0)
    this.#out.ensure(definitions.length)
    this.#out.bytes.set(definitions, this.#out.at)
    this.#out.at += definitions.length
    endFrame(this.#out, define)
    return true
  }

  /** Whether the frame that began at `start` goes out whole. */
  fits(start: number): boolean {
    return this.#out.at - start - 4 <= this.peerFrameBytes
  }

  /**
   * Completes the frame that began at `start`. Returns false if it is large and still on its way, and then `sender` is
   * told once it has left; nothing more may be sent for its id before.
   * @throws RpcError `resource_exhausted` if the peer takes no message of that size, or too much waits already; the
   * frame is then taken back.
   */
  finish(start: number, type: FrameType, id: number, prompt = true, sender?: Sender): boolean {
    const out = this.#out
    if (this.fits(start)) {
      endFrame(out, start)
      out.commit(prompt)
      return true
    }
    const bodyStart = start + frameHeadBytes + idLength(out.bytes, start + frameHeadBytes)
    const size = out.at - bodyStart
    const problem = this.#refuse(size)
    if (problem !== undefined) {
      out.at = start
      throw problem
    }
    const body = out.take(bodyStart)
    out.at = start
    const message: Large = { type, id, body, sent: 0, sender: undefined }
    this.#large.push(message)
    this.#waitingBytes += size
    this.pump()
    if (!this.#large.includes(message)) return true
    message.sender = sender
    return false
  }

  /**
   * Forgets a large message that is not wholly sent: `unsent` if nothing of it was, `partly` if some was, `none` if
   * there is no such message.
   */
  drop(id: number): 'none' | 'unsent' | 'partly' {
    const index = this.#large.findIndex((message) => message.id === id)
    const message = this.#large[index]
    if (message === undefined) return 'none'
    this.#large.splice(index, 1)
    this.#waitingBytes -= message.body.length - message.sent
    return message.sent === 0 ? 'unsent' : 'partly'
  }

  /** The connection is gone: nothing waits any more. */
  clear(): void {
    this.#large = []
    this.#waitingBytes = 0
  }

  /** PING or PONG. */
  ping(type: typeof frameTypes.ping | typeof frameTypes.pong, payload: Uint8Array): void {
    writePing(this.#out, type, payload)
    this.#out.commit()
  }

  /** A PONG has come: it may tell that the peer has read parts, and then more of them go. */
  answered(payload: Uint8Array): void {
    if (this.#pace.answered(payload)) this.pump()
  }

  /**
   * Sends parts while the wire takes them and the peer reads them, but only so many in one turn; called again when either
   * has gone on.
   */
  pump(): void {
    if (this.#scheduled) return
    const stopAt = this.#waitingBytes - turnBytes
    while (this.#large.length > 0 && this.#out.queued < partsAheadBytes && this.#pace.open) {
      if (this.#waitingBytes <= stopAt) return this.#pumpLater()
      this.#turn = (this.#turn + 1) % Math.min(this.#large.length, maxAssemblies)
      const message = this.#large[this.#turn] as Large
      const left = message.body.length - message.sent
      const room = Math.min(this.peerFrameBytes, partBytes) - 1 - maxIdBytes
      if (left > room) this.#write(message, frameTypes.part, room)
      else {
        this.#large.splice(this.#turn, 1)
        this.#write(message, message.type | joinedBit, left)
        spareBuffers.give(new Uint8Array(message.body.buffer))
        message.sender?.left()
      }
    }
  }

  #pumpLater(): void {
    this.#scheduled = true
    this.#clock.nextTurn(() => {
      this.#scheduled = false
      this.pump()
    })
  }

  #write(message: Large, type: number, count: number): void {
    const out = this.#out
    const start = beginFrame(out, type, message.id)
    out.ensure(count)
    out.bytes.set(message.body.subarray(message.sent, message.sent + count), out.at)
    out.at += count
    message.sent += count
    this.#waitingBytes -= count
    endFrame(out, start)
    out.commit(false)
    this.#pace.sent(count)
  }

  #refuse(size: number): RpcError | undefined {
    const most = Math.min(this.peerMessageBytes, this.#limits.maxMessageBytes)
    if (size > most) {
      return new RpcError(
        'resource_exhausted',
        `the message has ${size} bytes, at most ${most} are allowed (limits.maxMessageBytes)`,
      )
    }
    if (this.#waitingBytes + size <= this.#limits.maxUnsentBytes) return undefined
    return new RpcError(
      'resource_exhausted',
      `${this.#waitingBytes} bytes wait for the peer to take them; a message of ${size} more cannot (limits.maxUnsentBytes)`,
    )
  }
}

function idLength(bytes: Uint8Array, at: number): number {
  let length = 1
  while ((bytes[at + length - 1] as number) >= 0x80) length++
  return length
}
