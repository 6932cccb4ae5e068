import type { Call } from '../../core/call.ts'
import { markNotExecuted, RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import { Metadata } from '../../core/metadata.ts'
import type { Peer } from '../../core/peer.ts'
import { serveCall, splitName } from '../json-head/serve-call.ts'
import type { Room } from '../protocol.ts'
import { Batch } from './batch.ts'
import { invalidRequest, type Refusal, standardCodes } from './errors.ts'
import { unsendableResult, writeError, writeResult } from './reply.ts'
import { type Addressee, type Incoming, type JsonRpcVersion, readRequest } from './request.ts'

export interface RequestsInit {
  readonly room: Room
  readonly handler: Handler
  readonly peer: Peer | undefined
  /** That of each call, where what the requests came in has any. */
  readonly metadata?: Metadata | undefined
  /** A call has ended. */
  onEnded?(): void
}

type Send = (text: string) => void
type Request = Extract<Incoming, { kind: 'request' }>

/** What a server does with messages, wherever they come from: makes calls of them, and answers of what these come to. */
export class Requests {
  /** Takes no new calls. */
  draining = false
  readonly #init: RequestsInit
  readonly #calls = new Set<Call>()
  #running = 0
  /** The version of answers to what cannot be read: that of the last request. */
  #version: JsonRpcVersion = '2.0'

  constructor(init: RequestsInit) {
    this.#init = init
  }

  get inFlight(): number {
    return this.#running
  }

  /** Takes a message that was read. Returns whether it will be answered, through `send`, once. */
  take(value: unknown, send: Send): boolean {
    if (!Array.isArray(value)) return this.#takeOne(value, send)
    const { maxCalls, maxMessageBytes } = this.#init.room.limits
    const problem = value.length === 0 ? 'a batch is empty' : `a batch holds at most ${maxCalls} requests`
    if (value.length === 0 || value.length > maxCalls) {
      this.#refuse({ version: '2.0', id: null }, invalidRequest(problem), send)
      return true
    }
    const batch = new Batch(maxMessageBytes, () => this.#tooLong(), send)
    for (const one of value) {
      const answer = batch.expect()
      if (!this.#takeOne(one, answer.send)) answer.none()
    }
    return batch.close()
  }

  /** Answers a message that could not be read; `id` where it is known all the same. */
  refuse(problem: RpcError, send: Send, id?: number): void {
    const isParseError = problem.code === 'invalid_argument'
    const to = { version: this.#version, id: id ?? null }
    const number = isParseError ? standardCodes.parseError : undefined
    send(writeError(to, problem, { limits: this.#init.room.limits, number }))
  }

  cancelAll(reason: RpcError): void {
    for (const call of this.#calls) call.cancel(reason)
  }

  #takeOne(value: unknown, send: Send): boolean {
    const incoming = readRequest(value, this.#version)
    if (incoming.kind === 'response') return false
    const { to } = incoming
    this.#version = to.version
    if (incoming.kind === 'invalid') {
      this.#refuse(to, incoming.refusal, send)
      return true
    }
    const refusal = this.#refusal()
    if (refusal === undefined) this.#serve(incoming, send)
    else if (!incoming.notification) send(writeError(to, refusal, this.#init.room))
    return !incoming.notification
  }

  #refusal(): RpcError | undefined {
    const { maxCalls } = this.#init.room.limits
    if (this.draining) return markNotExecuted(new RpcError('unavailable', 'the server is draining'))
    if (this.#running < maxCalls) return undefined
    const message = `${maxCalls} calls of this connection are in flight, and no more are allowed (limits.maxCalls)`
    return markNotExecuted(new RpcError('resource_exhausted', message))
  }

  #serve({ to, name, args, notification }: Request, send: Send): void {
    const { room, handler, peer, metadata } = this.#init
    this.#running++
    const init = {
      room,
      handler,
      peer,
      ...splitName(name),
      args,
      oneway: notification,
      metadata: metadata === undefined ? undefined : new Metadata(metadata),
      protocol: 'json-rpc',
    }
    const call = serveCall(init, (ending, value, error) => {
      this.#running--
      this.#calls.delete(ending)
      let problem = error
      if (!notification) problem = this.#answer(ending, to, { value, error, send })
      this.#init.onEnded?.()
      return problem
    })
    if (!call.ended) this.#calls.add(call)
  }

  #answer(
    call: Call,
    to: Addressee,
    { value, error, send }: { value: unknown; error: RpcError | undefined; send: Send },
  ): RpcError | undefined {
    const { limits } = this.#init.room
    if (error !== undefined) {
      send(writeError(to, error, { limits, number: numberOf(call, error) }))
      return error
    }
    let text: string
    try {
      text = writeResult(to, value, limits)
    } catch (thrown) {
      const problem = unsendableResult(call.name, thrown)
      send(writeError(to, problem, { limits }))
      return problem
    }
    send(text)
    return undefined
  }

  #tooLong(): string {
    const { limits } = this.#init.room
    const message = `the answers to the batch are together larger than the ${limits.maxMessageBytes} bytes that are allowed (limits.maxMessageBytes)`
    return writeError({ version: '2.0', id: null }, new RpcError('resource_exhausted', message), { limits })
  }

  #refuse(to: Addressee, { error, number }: Refusal, send: Send): void {
    send(writeError(to, error, { limits: this.#init.room.limits, number }))
  }
}

// Not found before anything ran: it is the method that is not there, and not something that it looked for.
function numberOf(call: Call, error: RpcError): number | undefined {
  return error.code === 'not_found' && call.phase === 'read' ? standardCodes.methodNotFound : undefined
}
