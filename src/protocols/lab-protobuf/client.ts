import type { Call } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import type { Reply } from '../../core/layer.ts'
import { fail } from '../../core/settle.ts'
import type { Wire } from '../../transports/transport.ts'
import { Link, type LinkOwner } from '../json-head/link.ts'
import { lostCall, notOpen, PendingCall, unsendableRequest } from '../json-head/pending-call.ts'
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
  readonly #incoming: Incoming
  /** A request was sent, whether or not somebody still waits for the response. */
  #asked = false
  #question: LabQuestion | undefined = undefined
  #pending: PendingCall | undefined = undefined
  #stopWaiting: (() => void) | undefined = undefined

  constructor(init: LabClientInit) {
    const { wire, room, schema } = init
    this.#init = init
    this.#incoming = new Incoming(room.limits)
    const state = schema.value === undefined ? 'opening' : 'ready'
    this.#link = new Link(wire, room, { owner: this, state })
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
    return this.#asked ? 1 : 0
  }

  get partial(): boolean {
    return !this.#incoming.isEmpty
  }

  readonly call = (call: Call): Reply | PromiseLike<Reply> => {
    const { wire, room, schema, time } = this.#init
    const { address } = wire.peer
    if (this.state !== 'ready' || !this.#link.open || schema.value === undefined)
      return fail(call, notOpen(address, this.state))
    if (this.#asked) return fail(call, notOpen(address, 'used up: it carries one call'))
    call.phase = 'send'
    call.meet(wire.peer)
    try {
      this.#question = questionOf(schema.value, call, time())
      writeRequest(schema.value, this.#question, wire.out, room.limits)
    } catch (thrown) {
      return fail(call, unsendableRequest(thrown))
    }
    return this.#send(call)
  }

  drain(): void {
    if (!this.#link.enter('draining')) return
    this.onState('draining')
    if (!this.#asked) void this.#link.finish()
  }

  close(reason?: RpcError): Promise<void> {
    this.#take()?.fail(
      reason ?? new RpcError('unavailable', 'the connection was closed on this side', { phase: 'wait' }),
    )
    return this.#link.finish()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  onData(chunk: Uint8Array): void {
    if (!this.#asked) throw new RpcError('internal', 'an answer came that nobody asked for')
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
    this.#take()?.fail(unreadableAnswer(problem))
    void this.#link.finish(problem)
  }

  onClosed(reason: RpcError | undefined): void {
    this.#lose(reason)
    this.#incoming.clear()
    this.onState('closed', reason)
  }

  #send(call: Call): Reply | PromiseLike<Reply> {
    const pending = new PendingCall(call)
    this.#asked = true
    this.#link.commit()
    if (call.oneway) {
      // Settled as soon as it is on its way: nobody waits for the answer.
      this.#link.wire.flush()
      pending.succeed(undefined)
      return pending.promise
    }
    this.#pending = pending
    call.phase = 'wait'
    call.onCancel((reason) => {
      if (this.#pending !== pending) return
      this.#take()?.fail(reason)
      void this.#link.finish()
    })
    return pending.promise
  }

  #settle(): void {
    const { schema, room } = this.#init
    const question = this.#question
    const pending = this.#take()
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

  #take(): PendingCall | undefined {
    this.#stopWaiting?.()
    const pending = this.#pending
    this.#pending = undefined
    return pending
  }

  #lose(reason: RpcError | undefined): void {
    this.#take()?.fail(lostCall(this.#init.wire.peer.address, reason))
  }
}
