import { RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import type { Wire } from '../../transports/transport.ts'
import { JsonLink, type JsonLinkOwner } from '../json-head/json-link.ts'
import { readJson } from '../json-head/read-json.ts'
import type { Room, Session, SessionState } from '../protocol.ts'
import { idInHead } from './request.ts'
import { Requests } from './requests.ts'

/** The server's side of a connection. */
export function acceptJsonRpc(wire: Wire, handler: Handler, room: Room): Session {
  return new JsonRpcServer(wire, handler, room)
}

class JsonRpcServer implements Session, JsonLinkOwner {
  onState: (state: SessionState, reason?: RpcError) => void = () => {}
  readonly limit: number
  readonly #link: JsonLink
  readonly #requests: Requests
  /** The peer asks no more: once all is answered, so is this side done. */
  #ended = false
  #garbage: RpcError | undefined = undefined

  constructor(wire: Wire, handler: Handler, room: Room) {
    this.limit = room.limits.maxCalls
    this.#link = new JsonLink(wire, room, { owner: this, lists: true })
    this.#requests = new Requests({
      room,
      handler,
      peer: wire.peer,
      // After this turn: the answer of the call that ends is about to be sent.
      onEnded: () => this.#isOver() && room.clock.defer(() => this.#finishIfOver()),
    })
  }

  get state(): SessionState {
    return this.#link.state
  }

  get inFlight(): number {
    return this.#requests.inFlight
  }

  get held(): number {
    return this.#link.held
  }

  drain(): void {
    if (!this.#link.enter('draining')) return
    this.#requests.draining = true
    this.onState('draining')
    this.#finishIfOver()
  }

  close(reason?: RpcError): Promise<void> {
    this.#requests.cancelAll(reason ?? new RpcError('unavailable', 'the server has closed the connection'))
    return this.#link.finish()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  readonly onMessage: JsonLinkOwner['onMessage'] = (bytes, range, problem) => {
    if (problem !== undefined) return this.#requests.refuse(problem, this.#send, idInHead(bytes, range))
    let value: unknown
    try {
      value = readJson(bytes, range)
    } catch (thrown) {
      const error = RpcError.from(thrown, 'invalid_argument', 'read')
      return this.#requests.refuse(error, this.#send)
    }
    this.#requests.take(value, this.#send)
  }

  onGarbage(problem: RpcError): void {
    this.#requests.refuse(problem, this.#send)
    this.#garbage = problem
    this.onEnd()
  }

  onEnd(): void {
    this.#ended = true
    this.#finishIfOver()
  }

  onClosed(reason: RpcError | undefined): void {
    const why = reason === undefined ? '' : `: ${reason.message}`
    this.#requests.cancelAll(
      new RpcError('cancelled', `the connection to the caller was lost${why}`, {
        cause: reason,
        phase: 'write',
      }),
    )
    this.onState('closed', reason)
  }

  readonly #send = (text: string): void => this.#link.send(`${text}\n`)

  #isOver(): boolean {
    return this.inFlight === 0 && (this.#ended || this.state === 'draining')
  }

  #finishIfOver(): void {
    if (this.#isOver()) void this.#link.finish(this.#garbage)
  }
}
