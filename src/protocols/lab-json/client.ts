import type { Call } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import type { Reply } from '../../core/layer.ts'
import { fail } from '../../core/settle.ts'
import type { Wire } from '../../transports/transport.ts'
import { JsonLink, type JsonLinkOwner } from '../json-head/json-link.ts'
import { lostCall, notOpen, PendingCall, received, unsendableRequest } from '../json-head/pending-call.ts'
import { readJson } from '../json-head/read-json.ts'
import type { ClientSession, Room, SessionState } from '../protocol.ts'
import { readReply } from './reply.ts'
import { writeRequest } from './request.ts'

// The original servers take what one `recv(1024)` gives for the whole request.
const originalReadBytes = 1024

/** The client's side of a connection. */
export function dialLabJson(wire: Wire, room: Room): ClientSession {
  return new LabJsonClient(wire, room)
}

class LabJsonClient implements ClientSession, JsonLinkOwner {
  onState: (state: SessionState, reason?: RpcError) => void = () => {}
  readonly limit = 1
  readonly #link: JsonLink
  #pending: PendingCall | undefined = undefined
  /** A request was sent whose answer has not come, whether or not somebody still waits for it. */
  #asked = false
  #askedBytes = 0

  constructor(wire: Wire, room: Room) {
    this.#link = new JsonLink(wire, room, { owner: this, lists: false })
  }

  get state(): SessionState {
    return this.#link.state
  }

  get inFlight(): number {
    return this.#asked ? 1 : 0
  }

  readonly call = (call: Call): Reply | PromiseLike<Reply> => {
    const { address } = this.#link.wire.peer
    if (this.state !== 'ready' || !this.#link.open) return fail(call, notOpen(address, this.state))
    if (this.#asked) return fail(call, notOpen(address, 'waiting for the answer to another call'))
    call.phase = 'send'
    call.meet(this.#link.wire.peer)
    let text: string
    try {
      text = writeRequest(call, this.#link.room.limits)
    } catch (thrown) {
      return fail(call, unsendableRequest(thrown))
    }
    return this.#send(call, text)
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

  readonly onMessage: JsonLinkOwner['onMessage'] = (bytes, range, problem) => {
    if (!this.#asked) return this.#break(new RpcError('internal', 'an answer came that nobody asked for'))
    this.#asked = false
    const pending = this.#take()
    if (pending !== undefined) {
      pending.call.begin()
      pending.call.phase = 'receive'
      try {
        if (problem !== undefined) throw problem
        pending.succeed(readReply(readJson(bytes, range, 'python')))
      } catch (thrown) {
        pending.fail(inReceive(thrown))
      }
    }
    if (this.state === 'draining') void this.#link.finish()
  }

  onGarbage(problem: RpcError): void {
    this.#take()?.fail(received(new RpcError('internal', `the answer is no JSON: ${problem.message}`)))
    void this.#link.finish(problem)
  }

  onEnd(): void {
    this.#lose(undefined)
    void this.#link.finish()
  }

  onClosed(reason: RpcError | undefined): void {
    this.#lose(reason)
    this.onState('closed', reason)
  }

  #send(call: Call, text: string): Reply | PromiseLike<Reply> {
    const pending = new PendingCall(call)
    this.#asked = true
    this.#askedBytes = text.length
    this.#link.send(text)
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
      // The answer, should it come, would be taken for that of the next call.
      void this.#link.finish()
    })
    return pending.promise
  }

  #take(): PendingCall | undefined {
    const pending = this.#pending
    this.#pending = undefined
    return pending
  }

  #lose(reason: RpcError | undefined): void {
    const hint =
      this.#askedBytes > originalReadBytes
        ? `; the request has ${this.#askedBytes} bytes, and the original lab servers read no more than ${originalReadBytes}`
        : ''
    this.#take()?.fail(lostCall(this.#link.wire.peer.address, reason, hint))
  }

  #break(problem: RpcError): void {
    this.#link.report(problem)
    void this.#link.finish(problem)
  }
}

// What the callee answered is passed on as it is; what is wrong with the answer says where it was noticed.
function inReceive(thrown: unknown): RpcError {
  const error = RpcError.from(thrown, 'internal')
  return error.phase === 'receive' ? error : received(error)
}
