import { jsonCodec } from '../../codecs/json/index.ts'
import type { Call } from '../../core/call.ts'
import type { CodecSession } from '../../core/codec.ts'
import { RpcError } from '../../core/error.ts'
import type { Reply } from '../../core/layer.ts'
import { fail } from '../../core/settle.ts'
import type { Wire } from '../../transports/transport.ts'
import { lostCall, notOpen, unsendableRequest } from '../json-head/pending-call.ts'
import type { ClientSession, Room, SessionState } from '../protocol.ts'
import { AskedCall } from './asked-call.ts'
import { type DecodeEvent, HttpDecoder } from './decode.ts'
import { writeBytes } from './encode.ts'
import { type ResponseHead, readResponseHead } from './response-head.ts'
import { encodeArguments, writeRequest } from './write-request.ts'

// How long a peer may take to end its side after we have ended ours.
const lingerMs = 1000

/** The client's side of a connection. */
export function dialHttp(wire: Wire, room: Room): ClientSession {
  return new HttpClient(wire, room)
}

/** One call after the other over one connection, which ends where a call is given up before its answer has come. */
class HttpClient implements ClientSession {
  state: SessionState = 'ready'
  onState: (state: SessionState, reason?: RpcError) => void = () => {}
  readonly limit = 1
  readonly #wire: Wire
  readonly #room: Room
  readonly #codec: CodecSession
  readonly #decoder = new HttpDecoder<ResponseHead>(readResponseHead)
  readonly #closed = Promise.withResolvers<void>()
  #asked: AskedCall | undefined = undefined
  #working = false
  #ended = false
  #deaf = false
  #paused = false
  #stopLingering: (() => void) | undefined = undefined

  constructor(wire: Wire, room: Room) {
    this.#wire = wire
    this.#room = room
    this.#codec = jsonCodec.open(room.limits)
    wire.onData = (chunk) => {
      if (this.#deaf) return
      room.clock.now()
      this.#decoder.push(chunk)
      this.#work()
    }
    wire.onEnd = () => {
      this.#ended = true
      this.#work()
    }
    wire.onDrain = () => {}
    wire.onClose = (error) => this.#onClose(error)
  }

  get inFlight(): number {
    return this.#asked === undefined ? 0 : 1
  }

  readonly call = (call: Call): Reply | PromiseLike<Reply> => {
    const { address } = this.#wire.peer
    if (this.state !== 'ready' || this.#deaf || this.#ended) return fail(call, notOpen(address, this.state))
    if (this.#asked !== undefined)
      return fail(call, notOpen(address, 'waiting for the answer to another call'))
    call.phase = 'send'
    call.meet(this.#wire.peer)
    try {
      const body = encodeArguments(call, this.#codec)
      writeRequest(this.#wire.out, { call, host: address, length: body.length, limits: this.#room.limits })
      writeBytes(this.#wire.out, body)
      this.#wire.out.commit()
    } catch (thrown) {
      return fail(call, unsendableRequest(thrown))
    }
    return this.#ask(call)
  }

  drain(): void {
    if (this.state !== 'ready') return
    this.state = 'draining'
    this.onState('draining')
    if (this.#asked === undefined) this.#finish()
  }

  close(reason?: RpcError): Promise<void> {
    const why =
      reason ?? new RpcError('unavailable', 'the connection was closed on this side', { phase: 'wait' })
    this.#take()?.fail(why)
    this.#finish()
    return this.#closed.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #ask(call: Call): Reply | PromiseLike<Reply> {
    const asked = new AskedCall({
      call,
      codec: this.#codec,
      limits: this.#room.limits,
      // The peer learns that nobody waits any more by the end of the connection.
      onGivenUp: () => {
        if (this.#asked === asked) this.#asked = undefined
        this.#hangUp()
      },
      onRoom: () => this.#work(),
    })
    this.#asked = asked
    if (call.oneway) {
      this.#wire.flush()
      asked.sent()
    }
    call.phase = 'wait'
    call.onCancel((reason) => {
      if (this.#asked === asked) asked.giveUp(reason)
    })
    return asked.promise
  }

  #take(): AskedCall | undefined {
    const asked = this.#asked
    this.#asked = undefined
    return asked
  }

  #work(): void {
    if (this.#working) return
    this.#working = true
    try {
      while (!this.#deaf && this.#asked?.full !== true) {
        const event = this.#decoder.next()
        if (event === undefined) {
          if (this.#ended && this.#decoder.finish()) continue
          break
        }
        this.#on(event)
      }
    } catch (thrown) {
      this.#break(RpcError.from(thrown))
    } finally {
      this.#working = false
    }
    this.#rest()
  }

  #rest(): void {
    if (this.#deaf) return
    const full = this.#asked?.full === true
    if (full !== this.#paused) {
      this.#paused = full
      if (full) this.#wire.pause()
      else this.#wire.resume()
    }
    if (this.#ended && !full) {
      this.#take()?.fail(lostCall(this.#wire.peer.address, undefined))
      this.#finish()
    }
  }

  #on(event: DecodeEvent<ResponseHead>): void {
    const asked = this.#asked
    if (asked === undefined) throw new RpcError('internal', 'an answer came that nobody asked for')
    switch (event.kind) {
      case 'head':
        return asked.head(event.head)
      case 'data':
        return asked.data(event.bytes, event)
      case 'end': {
        // What announces an answer is none.
        if (asked.isInterim) return
        const { keepAlive } = asked
        this.#asked = undefined
        asked.end()
        if (this.state === 'draining') this.#finish()
        else if (!keepAlive) this.drain()
      }
    }
  }

  #break(problem: RpcError): void {
    const { address } = this.#wire.peer
    const error = new RpcError('internal', `the answer of ${address} is none: ${problem.message}`, {
      cause: problem,
      phase: 'receive',
    })
    this.#take()?.fail(error)
    this.#room.report(error, { peer: address })
    this.#finish()
  }

  #hangUp(): void {
    if (this.state === 'closed') return
    this.#deaf = true
    this.#finish()
  }

  #finish(): void {
    if (this.state === 'closed' || this.#stopLingering !== undefined) return
    this.#deaf = true
    if (this.#paused) this.#wire.resume()
    this.#stopLingering = this.#room.clock.after(lingerMs, () => this.#wire.close())
    if (this.state === 'ready') {
      this.state = 'draining'
      this.onState('draining')
    }
    this.#wire.end()
  }

  #onClose(error: RpcError | undefined): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    const lingered = this.#stopLingering !== undefined
    this.#stopLingering?.()
    this.#deaf = true
    this.#take()?.fail(lostCall(this.#wire.peer.address, error))
    this.onState('closed', lingered ? undefined : error)
    this.#closed.resolve()
  }
}
