import { jsonCodec } from '../../codecs/json/index.ts'
import { markNotExecuted, RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import type { Timed } from '../../core/wheel.ts'
import type { Wire } from '../../transports/transport.ts'
import type { HttpRoute } from '../http-route.ts'
import type { Room, Session, SessionState } from '../protocol.ts'
import { type AnswerRoom, answer } from './answer.ts'
import { type DecodeEvent, HttpDecoder } from './decode.ts'
import { encodeError, errorStart } from './error-body.ts'
import { statusLine, writeHead } from './encode.ts'
import { Exchange } from './exchange.ts'
import type { OriginPolicy } from './origin.ts'
import { HttpProblem } from './problem.ts'
import { type RequestHead, readRequestHead } from './request-head.ts'
import { ResponseWriter } from './response-writer.ts'
import type { ServedCall } from './served-call.ts'

/** How long a body may take before its speed counts, and how fast it must come then. */
export const bodyTimeoutMs = 10_000
export const minBodyBytesPerMs = 1.024
// What may wait unread behind a request that is being carried out.
const maxPipelinedBytes = 64 * 1024
// How long a peer may take to end its side after we have ended ours.
const lingerMs = 1000

export interface HttpServerInit {
  readonly wire: Wire
  readonly handler: Handler
  readonly room: Room
  readonly routes: readonly HttpRoute[]
  readonly policy: OriginPolicy
}

/** The server's side of a connection. */
export function acceptHttp(init: HttpServerInit): Session {
  return new HttpServer(init)
}

/** Requests are answered one after the other; what comes behind one that is being carried out waits. */
class HttpServer implements Session, Timed {
  state: SessionState = 'ready'
  onState: (state: SessionState, reason?: RpcError) => void = () => {}
  readonly limit = 1
  readonly #wire: Wire
  readonly #room: Room
  readonly #policy: OriginPolicy
  readonly #answers: AnswerRoom
  readonly #decoder = new HttpDecoder<RequestHead>(readRequestHead)
  readonly #closed = Promise.withResolvers<void>()
  #exchange: Exchange | undefined = undefined
  /** The exchange has its whole request, and is being answered. */
  #busy = false
  #working = false
  /** Nothing that comes is looked at any more. */
  #deaf = false
  #paused = false
  #ended = false
  #answered = 0
  #phase: 'idle' | 'head' | 'body' | 'blocked' | undefined = undefined
  #phaseAt = 0
  #heardAt = 0
  #reason: RpcError | undefined = undefined
  #stopLingering: (() => void) | undefined = undefined
  /** Handlers that have not finished, also those whose call is over. */
  readonly #running = new Set<ServedCall>()

  // The links of the deadline wheel.
  due = 0
  before: Timed | undefined = undefined
  after: Timed | undefined = undefined
  slot = -1

  constructor({ wire, handler, room, routes, policy }: HttpServerInit) {
    this.#wire = wire
    this.#room = room
    this.#policy = policy
    this.#answers = {
      handler,
      routes,
      policy,
      codec: jsonCodec.open(room.limits),
      refusal: () => this.#refusal(),
      full: () => this.#full,
      onDone: (exchange) => this.#done(exchange),
      onCall: (served) => this.#running.add(served),
      onStopped: (served) => this.#stopped(served),
    }
    wire.onData = (chunk) => this.#onData(chunk)
    wire.onEnd = () => this.#onEnd()
    wire.onDrain = () => this.#onDrain()
    wire.onClose = (error) => this.#onClose(error)
    this.#watch()
  }

  get inFlight(): number {
    return Math.max(this.#busy ? 1 : 0, this.#unfinished())
  }

  get held(): number {
    return this.#decoder.held + (this.#exchange?.held ?? 0)
  }

  /** Goes on until the request that is coming is answered; a connection that waits for the next one ends at once. */
  drain(): void {
    if (this.state !== 'ready') return
    this.state = 'draining'
    this.onState('draining')
    this.#rest()
  }

  close(reason?: RpcError): Promise<void> {
    const why = reason ?? new RpcError('unavailable', 'the server has closed the connection')
    for (const { call } of this.#running) call.cancel(why)
    this.#exchange?.lose(why)
    this.#finish()
    return this.#closed.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Called by the wheel: nothing has come, or too slowly. */
  onDue(): void {
    switch (this.#phase) {
      case 'head': {
        const { firstMessageTimeoutMs } = this.#room.limits
        const message = `the head of a request took longer than ${firstMessageTimeoutMs} ms`
        return this.#refuse(new HttpProblem(408, message))
      }
      case 'body': {
        const due = this.#bodyDue()
        if (this.#room.clock.now() < due) return this.#arm(due)
        return this.#refuse(new HttpProblem(408, 'the body of a request came too slowly'))
      }
      case 'blocked':
        return this.#wire.close(new RpcError('resource_exhausted', 'the peer does not read its answers'))
      default:
        return this.#finish()
    }
  }

  get #full(): boolean {
    return this.#wire.out.queued > this.#room.limits.streamWindowBytes
  }

  #onData(chunk: Uint8Array): void {
    if (this.#deaf) return
    this.#heardAt = this.#room.clock.now()
    this.#decoder.push(chunk)
    this.#work()
  }

  #onEnd(): void {
    this.#ended = true
    // As in other servers: who ends while an answer is under way has given up waiting for it.
    this.#exchange?.lose(gone())
    this.#work()
  }

  #onDrain(): void {
    this.#exchange?.wake()
    this.#work()
  }

  #onClose(error: RpcError | undefined): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.#deaf = true
    this.#room.clock.deadlines.remove(this)
    const lingered = this.#stopLingering !== undefined
    this.#stopLingering?.()
    this.#exchange?.writer.drop()
    this.#exchange?.lose(gone(error))
    // A peer that answers our end by breaking off has ended all the same; so has one that has got all its answers.
    const between = this.#exchange === undefined
    this.onState('closed', lingered || between ? this.#reason : (this.#reason ?? error))
    this.#closed.resolve()
  }

  #work(): void {
    if (this.#working) return
    this.#working = true
    try {
      while (!this.#busy && !this.#deaf && !this.#full) {
        const event = this.#decoder.next()
        if (event === undefined) break
        this.#on(event)
      }
    } catch (thrown) {
      this.#refuse(RpcError.from(thrown, 'internal', 'read'))
    } finally {
      this.#working = false
    }
    this.#rest()
  }

  // What there is to do when no more can be read for now.
  #rest(): void {
    if (this.#deaf || this.#working) return
    if (!this.#busy && !this.#full) {
      if (this.#ended) return this.#finish()
      if (this.#isDrained) return this.#finish()
    }
    const crowded = (this.#busy || this.#full) && this.#decoder.buffered > maxPipelinedBytes
    if (crowded && !this.#paused) this.#wire.pause()
    if (!crowded && this.#paused) this.#wire.resume()
    this.#paused = crowded
    this.#watch()
  }

  #on(event: DecodeEvent<RequestHead>): void {
    switch (event.kind) {
      case 'head':
        return this.#begin(event.head)
      case 'data':
        return this.#exchange?.add(event)
      case 'end':
        this.#busy = true
        if (this.#exchange !== undefined) answer(this.#exchange, this.#answers)
    }
  }

  #begin(head: RequestHead): void {
    const { peer, out } = this.#wire
    const fields: [string, string][] = [['x-content-type-options', 'nosniff']]
    const origin = this.#policy.crossOrigin(head)
    if (origin !== undefined) {
      fields.push(
        ['access-control-allow-origin', origin],
        ['access-control-expose-headers', '*'],
        ['vary', 'origin'],
      )
    }
    const writer = new ResponseWriter({ out, head, fields })
    if (this.state === 'draining') writer.closes = true
    const exchange = new Exchange({ head, writer, room: this.#room, peer })
    this.#exchange = exchange
    if (head.framing.kind === 'length') exchange.checkLength(head.framing.length)
    if (!head.expectsContinue) return
    // Who asks before it sends is told at once what is wrong.
    const refused = this.#policy.refuse(head, peer)
    if (refused !== undefined) throw refused
    writeHead(out, statusLine(100), [])
    out.commit()
  }

  #done(exchange: Exchange): void {
    if (this.#exchange !== exchange) return
    this.#exchange = undefined
    this.#busy = false
    this.#answered++
    if (exchange.writer.closes && (this.state !== 'draining' || this.#isDrained)) this.#finish()
    else this.#work()
  }

  #stopped(served: ServedCall): void {
    this.#running.delete(served)
    this.#rest()
  }

  // At least the request that it began with is answered, and what nobody waits for has ended, too.
  get #isDrained(): boolean {
    if (this.state !== 'draining' || this.#answered === 0) return false
    return this.#decoder.phase === 'idle' && this.#unfinished() === 0
  }

  // Calls that nobody waits for on this connection, but that have not ended.
  #unfinished(): number {
    let count = 0
    for (const { call } of this.#running) if (!call.ended) count++
    return count
  }

  #refusal(): RpcError | undefined {
    if (this.state === 'draining')
      return markNotExecuted(new RpcError('unavailable', 'the server is draining'))
    const { maxCalls } = this.#room.limits
    if (this.#running.size < maxCalls) return undefined
    return new RpcError(
      'resource_exhausted',
      `${maxCalls} handlers of this connection are running, and no more are allowed (limits.maxCalls)`,
    )
  }

  /** The peer sent what is no request: it is told, and the connection ends, for nothing after it can be trusted. */
  #refuse(problem: RpcError): void {
    if (this.#deaf) return
    const { peer, out } = this.#wire
    const message = `${peer.address} sent a request that is refused: ${problem.message}`
    this.#room.report(new RpcError(problem.code, message, { cause: problem, phase: 'read' }), {
      peer: peer.address,
    })
    const writer = this.#exchange?.writer ?? new ResponseWriter({ out, head: undefined, fields: [] })
    writer.closes = true
    writer.whole(errorStart(problem), encodeError(this.#answers.codec, problem))
    this.#exchange = undefined
    this.#reason ??= problem
    this.#finish()
  }

  /**
   * Ends in good order: sends what is left and waits for the peer to end too, for a second at most. Closing at once
   * could take back from the peer what it has not read yet.
   */
  #finish(): void {
    if (this.state === 'closed' || this.#stopLingering !== undefined) return
    this.#deaf = true
    this.#room.clock.deadlines.remove(this)
    if (this.#paused) this.#wire.resume()
    this.#stopLingering = this.#room.clock.after(lingerMs, () => this.#wire.close(this.#reason))
    this.#wire.end()
  }

  #watch(): void {
    const phase = this.#busy ? undefined : this.#full ? 'blocked' : this.#decoder.phase
    if (phase === this.#phase && phase !== 'idle') return
    this.#phase = phase
    this.#phaseAt = this.#room.clock.now()
    switch (phase) {
      case undefined:
        return this.#room.clock.deadlines.remove(this)
      case 'idle':
      case 'blocked':
        return this.#arm(this.#phaseAt + this.#room.limits.silentTimeoutMs)
      case 'head':
        return this.#arm(this.#phaseAt + this.#room.limits.firstMessageTimeoutMs)
      case 'body':
        return this.#arm(this.#bodyDue())
    }
  }

  // What came fast earns no time in which nothing comes.
  #bodyDue(): number {
    const received = this.#exchange?.received ?? 0
    const allowedMs = bodyTimeoutMs + received / minBodyBytesPerMs
    return Math.min(this.#phaseAt + allowedMs, this.#heardAt + this.#room.limits.keepaliveMs)
  }

  #arm(due: number): void {
    const { deadlines } = this.#room.clock
    deadlines.remove(this)
    this.due = due
    deadlines.add(this)
  }
}

function gone(error?: RpcError): RpcError {
  const why = error === undefined ? '' : `: ${error.message}`
  return new RpcError('cancelled', `the connection to the caller was lost${why}`, {
    cause: error,
    phase: 'write',
  })
}
