import type { Call } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import type { Reply } from '../../core/layer.ts'
import { fail } from '../../core/settle.ts'
import type { Wire } from '../../transports/transport.ts'
import { JsonLink, type JsonLinkOwner } from '../json-head/json-link.ts'
import { lostCall, notOpen, received, unsendableRequest } from '../json-head/pending-call.ts'
import { isJsonObject, member, readJson } from '../json-head/read-json.ts'
import { WaitingCalls } from '../json-head/waiting-calls.ts'
import type { ClientSession, Room, SessionState } from '../protocol.ts'
import { readErrorMember } from './errors.ts'
import { idInHead, type JsonRpcVersion } from './request.ts'
import { writeRequest } from './write-request.ts'

/** The client's side of a connection. */
export function dialJsonRpc(wire: Wire, room: Room, version: JsonRpcVersion): ClientSession {
  return new JsonRpcClient(wire, room, version)
}

class JsonRpcClient implements ClientSession, JsonLinkOwner {
  onState: (state: SessionState, reason?: RpcError) => void = () => {}
  readonly limit: number
  readonly #link: JsonLink
  readonly #version: JsonRpcVersion
  readonly #calls: WaitingCalls<number>
  #nextId = 0

  constructor(wire: Wire, room: Room, version: JsonRpcVersion) {
    this.limit = room.limits.maxCalls
    this.#version = version
    this.#link = new JsonLink(wire, room, { owner: this, lists: true })
    this.#calls = new WaitingCalls(this.#link)
  }

  get state(): SessionState {
    return this.#link.state
  }

  get inFlight(): number {
    return this.#calls.size
  }

  readonly call = (call: Call): Reply | PromiseLike<Reply> => {
    const { room, wire } = this.#link
    if (this.state !== 'ready' || !this.#link.open) return fail(call, notOpen(wire.peer.address, this.state))
    call.phase = 'send'
    call.meet(wire.peer)
    const id = this.#nextId
    let text: string
    try {
      const params = (call.info ?? room.info(call.service, call.method))?.params
      text = writeRequest(call, id, { version: this.#version, limits: room.limits, params })
    } catch (thrown) {
      return fail(call, unsendableRequest(thrown))
    }
    this.#nextId++
    return this.#calls.send(id, call, () => this.#link.send(`${text}\n`))
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

  readonly onMessage: JsonLinkOwner['onMessage'] = (bytes, range, problem) => {
    if (problem !== undefined) return this.#onProblem(idInHead(bytes, range), problem)
    let value: unknown
    try {
      value = readJson(bytes, range)
    } catch (thrown) {
      return this.#onProblem(idInHead(bytes, range), RpcError.from(thrown))
    }
    for (const answer of Array.isArray(value) ? value : [value]) this.#onAnswer(answer)
    this.#calls.finishIfDrained()
  }

  onGarbage(problem: RpcError): void {
    this.#break(new RpcError('internal', `the answer is no JSON: ${problem.message}`), problem)
  }

  onEnd(): void {
    this.#calls.failAll(() => lostCall(this.#link.wire.peer.address, undefined))
    void this.#link.finish()
  }

  onClosed(reason: RpcError | undefined): void {
    this.#calls.failAll(() => lostCall(this.#link.wire.peer.address, reason))
    this.onState('closed', reason)
  }

  #onAnswer(answer: unknown): void {
    if (!isJsonObject(answer))
      return this.#onProblem(undefined, new RpcError('internal', 'an answer is no object'))
    // What a server asks or tells of its own accord is not for us.
    if (Object.hasOwn(answer, 'method')) return
    const error = member(answer, 'error')
    const failed = error !== undefined && error !== null
    const id = member(answer, 'id')
    if (id === null || id === undefined) {
      // Of a notification, in 1.0; in 2.0 the peer could not read whose call it was.
      if (failed && this.#version === '2.0') this.#onProblem(undefined, readErrorMember(error))
      return
    }
    const pending = typeof id === 'number' ? this.#calls.take(id) : undefined
    if (pending === undefined) return this.#onStray(id)
    pending.call.begin()
    pending.call.phase = 'receive'
    if (failed) pending.fail(readErrorMember(error))
    else if (Object.hasOwn(answer, 'result')) pending.succeed(answer['result'])
    else pending.fail(received(new RpcError('internal', "the answer has neither 'result' nor 'error'")))
  }

  // The late answer to a call that was given up is normal.
  #onStray(id: unknown): void {
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < this.#nextId) return
    const shown = JSON.stringify(typeof id === 'bigint' ? id.toString() : id).slice(0, 64)
    this.#link.report(new RpcError('internal', `an answer to call ${shown}, which was never made`))
  }

  /** An answer cannot be used: whose it is may be known, or it is the only one that is waited for. */
  #onProblem(id: number | undefined, problem: RpcError): void {
    const whose = id ?? this.#calls.sole
    if (whose !== undefined) return this.#calls.take(whose)?.fail(received(problem))
    if (this.#calls.size > 0) this.#break(problem, problem)
    else this.#link.report(problem)
  }

  #break(problem: RpcError, reason: RpcError): void {
    this.#calls.failAll(() => received(problem))
    void this.#link.finish(reason)
  }
}
