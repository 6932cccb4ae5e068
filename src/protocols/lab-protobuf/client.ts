import type { Call } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import type { Reply } from '../../core/layer.ts'
import { fail } from '../../core/settle.ts'
import type { Wire } from '../../transports/transport.ts'
import { Link, type LinkOwner } from '../json-head/link.ts'
import { lostCall, notOpen, unsendableRequest } from '../json-head/pending-call.ts'
import { SoleCall } from '../json-head/sole-call.ts'
import type { ClientSession, Room, SessionState } from '../protocol.ts'
import { readResponse, unreadableAnswer } from './answer.ts'
import { Incoming } from './incoming.ts'
import type { LabParts } from './parts.ts'
import { type LabQuestion, questionOf, writeRequest } from './question.ts'

export interface LabClientInit extends LabParts {
  readonly wire: Wire
  readonly room: Room
}

/** The client's side of a connection: one request, one response, and the end. */
export function dialLabProtobuf(init: LabClientInit): ClientSession {
  return new LabProtobufClient(init)
}

class LabProtobufClient implements ClientSession, LinkOwner {
  onState: (state: SessionState, reason?: RpcError) => void = () => {}
  readonly limit = 1
  readonly #init: LabClientInit
  readonly #link: Link
  readonly #sole: SoleCall
  readonly #incoming: Incoming
  #question: LabQuestion | undefined = undefined
  #stopWaiting: (() => void) | undefined = undefined

  constructor(init: LabClientInit) {
    const { wire, room, schema } = init
    this.#init = init
    this.#incoming = new Incoming(room.limits)
    const state = schema.value === undefined ? 'opening' : 'ready'
    this.#link = new Link(wire, room, { owner: this, state })
    this.#sole = new SoleCall(this.#link)
    if (state === 'ready') return
    schema.whenLoaded(
      () => {
        if (this.state === 'opening' && this.#link.enter('ready')) this.onState('ready')
      },
      ({ message }) => this.#link.abort(new RpcError('failed_precondition', message, { phase: 'negotiate' })),
    )
  }

  get state(): SessionState {
    return this.#link.state
  }

  get inFlight(): number {
    return this.#sole.asked ? 1 : 0
  }

  get partial(): boolean {
    return !this.#incoming.isEmpty
  }

  readonly call = (call: Call): Reply | PromiseLike<Reply> => {
    const { wire, room, schema, time } = this.#init
    const { address } = wire.peer
    if (this.state !== 'ready' || !this.#link.open || schema.value === undefined)
      return fail(call, notOpen(address, this.state))
    if (this.#sole.asked) return fail(call, notOpen(address, 'used up: it carries one call'))
    call.phase = 'send'
    call.meet(wire.peer)
    try {
      this.#question = questionOf(schema.value, call, time())
      writeRequest(schema.value, this.#question, wire.out, room.limits)
    } catch (thrown) {
      return fail(call, unsendableRequest(thrown))
    }
    return this.#sole.send(call, () => this.#link.commit())
  }

  drain(): void {
    if (!this.#link.enter('draining')) return
    this.onState('draining')
    if (!this.#sole.asked) void this.#link.finish()
  }

  close(reason?: RpcError): Promise<void> {
    return this.#sole.close(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  onData(chunk: Uint8Array): void {
    if (!this.#sole.asked) throw new RpcError('internal', 'an answer came that nobody asked for')
    this.#incoming.push(chunk)
    this.#stopWaiting?.()
    if (!this.#incoming.isWhole) return
    // The end tells that this was all. A peer that does not end is not waited for.
    const { room, quietMs } = this.#init
    this.#stopWaiting = room.clock.afterInBackground(quietMs, () => this.#settle())
  }

  onEnd(): void {
    if (this.#incoming.isWhole) return this.#settle()
    if (this.partial) return
    this.#lose(undefined)
    void this.#link.finish()
  }

  onGarbage(problem: RpcError): void {
    this.#sole.take()?.fail(unreadableAnswer(problem))
    void this.#link.finish(problem)
  }

  forget(): void {
    this.#stopWaiting?.()
  }

  onClosed(reason: RpcError | undefined): void {
    this.#lose(reason)
    this.#incoming.clear()
    this.onState('closed', reason)
  }

  #settle(): void {
    const { schema, room } = this.#init
    const question = this.#question
    const pending = this.#sole.take()
    if (pending === undefined || schema.value === undefined || question === undefined)
      return void this.#link.finish()
    // A failure is no reply that has begun: the call may be repeated, if that does no harm.
    pending.call.phase = 'receive'
    try {
      pending.succeed(readResponse(schema.value, question, this.#incoming.bytes, room.limits))
    } catch (thrown) {
      pending.fail(RpcError.from(thrown, 'internal', 'receive'))
    }
    void this.#link.finish()
  }

  #lose(reason: RpcError | undefined): void {
    this.#sole.take()?.fail(lostCall(this.#init.wire.peer.address, reason))
  }
}
