import type { Call } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import { showName } from '../../core/names.ts'
import type { Wire } from '../../transports/transport.ts'
import { Link, type LinkOwner } from '../json-head/link.ts'
import { serveCall, splitName } from '../json-head/serve-call.ts'
import type { Room, Session, SessionState } from '../protocol.ts'
import type { GoBody, GoCodecSession } from './codec.ts'
import { type Dialect, errorText, illFormedText } from './dialect.ts'
import type { GoHeader } from './header.ts'
import { goTypes } from './types.ts'

/** What is settled before the first header. */
export interface Agreed {
  readonly codec: GoCodecSession
  /** How long a call may take, in nanoseconds; 0 for as long as it likes. */
  readonly handleTimeoutNs: number
}

/** What comes before the first header, where something does. */
export interface Opening {
  /**
   * Takes in bytes; once it is settled it gives that, and the bytes behind it, of which one newline is passed over.
   * @throws RpcError for what cannot be agreed to.
   */
  push(chunk: Uint8Array): { readonly agreed: Agreed; readonly rest: Uint8Array } | undefined
}

export interface GoServerInit {
  readonly wire: Wire
  readonly handler: Handler
  readonly room: Room
  readonly dialect: Dialect
  readonly begin: Agreed | Opening
}

/** The server's side of a connection on which headers and bodies come in turn. */
export function acceptGo(init: GoServerInit): Session {
  return new GoServer(init)
}

// What a header can hold of texts that come from elsewhere.
const maxErrorLength = 10_000
const maxNameLength = 1024

class GoServer implements Session, LinkOwner {
  onState: (state: SessionState, reason?: RpcError) => void = () => {}
  readonly limit: number
  readonly #init: GoServerInit
  readonly #link: Link
  readonly #calls = new Set<Call>()
  #opening: Opening | undefined
  #agreed: Agreed | undefined
  /** One whose body is not all there. */
  #header: GoHeader | undefined = undefined
  #passNewline = false
  #running = 0
  /** The peer asks no more: once all is answered, so is this side done. */
  #ended = false
  #garbage: RpcError | undefined = undefined
  /** Set with the first byte; stopped when the option, or else the first header, is whole. */
  #stopHurrying: (() => void) | undefined = undefined

  constructor(init: GoServerInit) {
    const { wire, room, begin } = init
    this.#init = init
    this.limit = room.limits.maxCalls
    this.#link = new Link(wire, room, { owner: this })
    if ('codec' in begin) this.#agreed = begin
    else this.#opening = begin
  }

  get state(): SessionState {
    return this.#link.state
  }

  get inFlight(): number {
    return this.#running
  }

  get partial(): boolean {
    return this.#header !== undefined || (this.#agreed?.codec.partial ?? false)
  }

  get held(): number {
    return this.#agreed?.codec.held ?? 0
  }

  drain(): void {
    if (!this.#link.enter('draining')) return
    this.onState('draining')
    this.#finishIfOver()
  }

  close(reason?: RpcError): Promise<void> {
    this.#cancelAll(reason ?? new RpcError('unavailable', 'the server has closed the connection'))
    return this.#link.finish()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  onData(chunk: Uint8Array): void {
    this.#stopHurrying ??= this.#hurry()
    if (this.#agreed !== undefined) return this.#take(this.#agreed.codec, chunk)
    const settled = this.#opening?.push(chunk)
    if (settled === undefined) return
    this.#stopHurrying?.()
    this.#opening = undefined
    this.#agreed = settled.agreed
    this.#passNewline = true
    if (settled.rest.length > 0) this.#take(settled.agreed.codec, settled.rest)
  }

  onGarbage(problem: RpcError): void {
    this.#garbage = problem
    this.#ended = true
    this.#finishIfOver()
  }

  onEnd(): void {
    if (this.#agreed !== undefined) {
      this.#agreed.codec.finish()
      this.#read(this.#agreed.codec)
    }
    if (this.partial) return
    this.#ended = true
    this.#finishIfOver()
  }

  onClosed(reason: RpcError | undefined): void {
    this.#stopHurrying?.()
    const why = reason === undefined ? '' : `: ${reason.message}`
    const options = { cause: reason, phase: 'write' } as const
    this.#cancelAll(new RpcError('cancelled', `the connection to the caller was lost${why}`, options))
    this.onState('closed', reason)
  }

  #hurry(): () => void {
    const { clock, limits } = this.#init.room
    return clock.afterInBackground(limits.firstMessageTimeoutMs, () => {
      const message = `the first message was not complete within ${limits.firstMessageTimeoutMs} ms`
      this.#link.abort(new RpcError('deadline_exceeded', message, { phase: 'read' }))
    })
  }

  #take(codec: GoCodecSession, chunk: Uint8Array): void {
    // Go writes one behind the option; it may come in a piece of its own.
    const from = this.#passNewline && chunk[0] === 0x0a ? 1 : 0
    this.#passNewline = false
    codec.push(from === 0 ? chunk : chunk.subarray(from))
    this.#read(codec)
  }

  #read(codec: GoCodecSession): void {
    while (this.#link.listening) {
      this.#header ??= codec.readHeader()
      const header = this.#header
      if (header === undefined) return
      this.#stopHurrying?.()
      if (!this.#readBody(codec, header)) return
      this.#header = undefined
    }
  }

  /** False while bytes of the body are missing. */
  #readBody(codec: GoCodecSession, header: GoHeader): boolean {
    const refusal = this.#refusal(header.serviceMethod)
    if (refusal !== undefined) {
      if (!codec.skipBody()) return false
      this.#sendError(header, refusal)
      return true
    }
    const target = splitName(header.serviceMethod)
    let body: GoBody | undefined
    try {
      body = codec.readBody(goTypes(this.#init.room.info(target.service, target.method)).args)
    } catch (thrown) {
      this.#sendError(header, RpcError.from(thrown, 'invalid_argument', 'read').message)
      if (codec.broken === undefined) return true
      // Nothing after it can be told apart.
      this.#header = undefined
      throw thrown
    }
    if (body === undefined) return false
    this.#serve(header, target, body.value)
    return true
  }

  #refusal(name: string): string | undefined {
    const { dialect } = this.#init
    if (name.length > maxNameLength) return illFormedText(dialect, showName(name))
    if (name.lastIndexOf('.') <= 0) return illFormedText(dialect, name)
    if (this.state === 'draining') return 'the server is draining'
    if (this.#running < this.limit) return undefined
    return `${this.limit} calls of this connection are in flight, and no more are allowed (limits.maxCalls)`
  }

  #serve(header: GoHeader, target: { service: string; method: string }, value: unknown): void {
    const { room, handler, wire, dialect } = this.#init
    const timeoutNs = this.#agreed?.handleTimeoutNs ?? 0
    const deadline = timeoutNs === 0 ? Number.POSITIVE_INFINITY : room.clock.now() + timeoutNs / 1e6
    this.#running++
    const call = serveCall(
      {
        room,
        handler,
        peer: wire.peer,
        ...target,
        args: { list: [value], message: true },
        deadline,
        protocol: dialect.name,
      },
      (ending, result, error) => {
        this.#running--
        this.#calls.delete(ending)
        // A method's own limit, where it is shorter, is not that of the peer.
        const ownTimeoutNs = ending.deadline === deadline ? timeoutNs : 0
        const problem =
          error === undefined
            ? this.#sendResult(header, ending, result)
            : this.#sendError(header, errorText(dialect, ending, error, ownTimeoutNs))
        // After this turn: the answer has just been written.
        if (this.#isOver()) room.clock.defer(() => this.#finishIfOver())
        return problem ?? error
      },
    )
    if (!call.ended) this.#calls.add(call)
  }

  #sendResult(header: GoHeader, call: Call, value: unknown): RpcError | undefined {
    const { service, method } = call
    const type = goTypes(call.info ?? this.#init.room.info(service, method)).reply
    try {
      this.#write({ ...header, error: '' }, { value, type })
      return undefined
    } catch (thrown) {
      const { code, message } = RpcError.from(thrown)
      const error = new RpcError(
        code === 'invalid_argument' ? 'internal' : code,
        `the result of ${showName(call.name)} cannot be sent: ${message}`,
        { cause: thrown, phase: 'write' },
      )
      this.#sendError(header, error.message)
      return error
    }
  }

  #sendError({ serviceMethod, seq }: GoHeader, text: string): undefined {
    const shown = text.length > maxErrorLength ? `${text.slice(0, maxErrorLength)}…` : text
    const name = serviceMethod.slice(0, maxNameLength)
    // An empty text would say that nothing went wrong.
    const error = shown === '' ? 'the error has no message' : shown
    try {
      this.#write({ serviceMethod: name, seq, error }, { value: undefined })
    } catch (thrown) {
      // A peer that is told nothing would wait for ever.
      this.#link.abort(RpcError.from(thrown, 'internal', 'write'))
    }
  }

  #write(header: GoHeader, body: Parameters<GoCodecSession['write']>[1]): void {
    if (!this.#link.open || this.#agreed === undefined) return
    this.#agreed.codec.write(header, body, this.#init.wire.out)
    this.#link.commit()
  }

  #cancelAll(reason: RpcError): void {
    for (const call of this.#calls) call.cancel(reason)
  }

  #isOver(): boolean {
    return this.#running === 0 && (this.#ended || this.state === 'draining')
  }

  #finishIfOver(): void {
    if (this.#isOver()) void this.#link.finish(this.#garbage)
  }
}
