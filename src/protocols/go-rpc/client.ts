import type { Call } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import type { Reply } from '../../core/layer.ts'
import { fail } from '../../core/settle.ts'
import type { Wire } from '../../transports/transport.ts'
import { Link, type LinkOwner } from '../json-head/link.ts'
import {
  lostCall,
  notOpen,
  type PendingCall,
  received,
  unsendableRequest,
} from '../json-head/pending-call.ts'
import { WaitingCalls } from '../json-head/waiting-calls.ts'
import type { ClientSession, Room, SessionState } from '../protocol.ts'
import { bodyOf } from './body.ts'
import type { GoCodecSession } from './codec.ts'
import { ConnectAnswer, connectRequest } from './connect-answer.ts'
import { type Dialect, errorOf } from './dialect.ts'
import type { GoHeader } from './header.ts'
import { goTypes } from './types.ts'

export interface GoClientInit {
  readonly wire: Wire
  readonly room: Room
  readonly dialect: Dialect
  readonly codec: GoCodecSession
  /** What goes before the first call, in the same piece. */
  readonly preamble?: Uint8Array
  /** The path of an HTTP CONNECT that goes before everything; its answer is waited for. */
  readonly connectPath?: string | undefined
}

/** The client's side of a connection on which headers and bodies come in turn. */
export function dialGo(init: GoClientInit): ClientSession {
  return new GoClient(init)
}

class GoClient implements ClientSession, LinkOwner {
  onState: (state: SessionState, reason?: RpcError) => void = () => {}
  readonly limit: number
  readonly #init: GoClientInit
  readonly #link: Link
  readonly #calls: WaitingCalls<number | bigint>
  #nextSeq: number
  #preamble: Uint8Array | undefined
  #answer: ConnectAnswer | undefined = undefined
  /** One whose body is not all there. */
  #header: GoHeader | undefined = undefined

  constructor(init: GoClientInit) {
    const { wire, room, connectPath } = init
    this.#init = init
    this.limit = room.limits.maxCalls
    this.#nextSeq = init.dialect.firstSeq
    this.#preamble = init.preamble
    this.#link = new Link(wire, room, {
      owner: this,
      state: connectPath === undefined ? 'ready' : 'opening',
    })
    this.#calls = new WaitingCalls(this.#link)
    if (connectPath !== undefined) this.#connect(connectPath)
  }

  get state(): SessionState {
    return this.#link.state
  }

  get inFlight(): number {
    return this.#calls.size
  }

  get partial(): boolean {
    return this.#header !== undefined || this.#init.codec.partial
  }

  readonly call = (call: Call): Reply | PromiseLike<Reply> => {
    const { wire, dialect } = this.#init
    const { room } = this.#link
    if (this.state !== 'ready' || !this.#link.open) return fail(call, notOpen(wire.peer.address, this.state))
    call.phase = 'send'
    call.meet(wire.peer)
    const seq = this.#nextSeq
    const { out } = wire
    const start = out.at
    try {
      const info = call.info ?? room.info(call.service, call.method)
      const value = bodyOf(call, info?.params, dialect.name)
      if (this.#preamble !== undefined) {
        out.ensure(this.#preamble.length)
        out.bytes.set(this.#preamble, out.at)
        out.at += this.#preamble.length
      }
      const header = { serviceMethod: call.name, seq, error: '' }
      this.#init.codec.write(header, { value, type: goTypes(info).args }, out)
    } catch (thrown) {
      out.at = start
      return fail(call, unsendableRequest(thrown))
    }
    this.#preamble = undefined
    this.#nextSeq++
    return this.#calls.send(seq, call, () => this.#link.commit())
  }

  drain(): void {
    if (!this.#link.enter('draining')) return
    this.onState('draining')
    this.#calls.finishIfDrained()
  }

  close(reason?: RpcError): Promise<void> {
    return this.#calls.close(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  onData(chunk: Uint8Array): void {
    const { codec } = this.#init
    if (this.#answer === undefined) {
      codec.push(chunk)
      return this.#read(codec)
    }
    let rest: Uint8Array | undefined
    try {
      rest = this.#answer.push(chunk)
    } catch (thrown) {
      return this.#link.abort(RpcError.from(thrown))
    }
    if (rest === undefined) return
    this.#answer = undefined
    if (this.#link.enter('ready')) this.onState('ready')
    if (rest.length === 0) return
    codec.push(rest)
    this.#read(codec)
  }

  onGarbage(problem: RpcError): void {
    this.#calls.failAll(() => received(problem))
    void this.#link.finish(problem)
  }

  onEnd(): void {
    const { codec, wire } = this.#init
    if (this.#answer !== undefined)
      return this.#link.abort(
        new RpcError('unavailable', 'the connection was ended in the middle of CONNECT'),
      )
    codec.finish()
    this.#read(codec)
    if (this.partial) return
    this.#calls.failAll(() => lostCall(wire.peer.address, undefined))
    void this.#link.finish()
  }

  onClosed(reason: RpcError | undefined): void {
    this.#calls.failAll(() => lostCall(this.#init.wire.peer.address, reason))
    this.onState('closed', reason)
  }

  // Original servers throw away what comes right behind a CONNECT, so its answer is waited for.
  #connect(path: string): void {
    const { wire } = this.#init
    this.#answer = new ConnectAnswer(wire.peer.address, path)
    const request = connectRequest(path)
    wire.out.ensure(request.length)
    wire.out.bytes.set(request, wire.out.at)
    wire.out.at += request.length
    wire.out.commit()
  }

  #read(codec: GoCodecSession): void {
    while (this.#link.listening) {
      this.#header ??= codec.readHeader()
      const header = this.#header
      if (header === undefined || !this.#readBody(codec, header)) return
      this.#header = undefined
      this.#calls.finishIfDrained()
    }
  }

  /** False while bytes of the body are missing. */
  #readBody(codec: GoCodecSession, header: GoHeader): boolean {
    const { dialect, room } = this.#init
    const pending = this.#calls.get(header.seq)
    if (pending === undefined || header.error !== '') {
      if (!codec.skipBody()) return false
      if (pending === undefined) this.#onStray(header)
      else this.#onError(header, errorOf(dialect, pending.call, header.error))
      return true
    }
    const { service, method, info } = pending.call
    try {
      const body = codec.readBody(goTypes(info ?? room.info(service, method)).reply)
      if (body === undefined) return false
      this.#begin(header)?.succeed(body.value)
    } catch (thrown) {
      if (codec.broken !== undefined) {
        this.#header = undefined
        throw thrown
      }
      const { code, message } = RpcError.from(thrown, 'internal')
      const shown = new RpcError(
        code === 'invalid_argument' ? 'internal' : code,
        `the answer of ${pending.call.name} cannot be read: ${message}`,
      )
      this.#begin(header)?.fail(received(shown))
    }
    return true
  }

  #onError(header: GoHeader, error: RpcError): void {
    this.#begin(header)?.fail(error)
    // Original servers lose their place behind a call that they do not know, and close: no more is sent to this one.
    if (error.code === 'not_found' && this.#init.dialect.losesPlace) this.drain()
  }

  #begin({ seq }: GoHeader): PendingCall | undefined {
    const pending = this.#calls.take(seq)
    if (pending === undefined) return undefined
    pending.call.begin()
    pending.call.phase = 'receive'
    return pending
  }

  // The late answer to a call that was given up is normal.
  #onStray({ seq, error }: GoHeader): void {
    if (seq < this.#nextSeq && seq >= this.#init.dialect.firstSeq) return
    const why = error === '' ? '' : `: ${error.slice(0, 200)}`
    this.#link.report(new RpcError('internal', `an answer to call ${seq}, which was never made${why}`))
  }
}
