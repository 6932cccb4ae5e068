import type { Call } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import type { Reply } from '../../core/layer.ts'
import { fail } from '../../core/settle.ts'
import type { Wire } from '../../transports/transport.ts'
import { JsonLink, type JsonLinkOwner } from '../json-head/json-link.ts'
import { lostCall, notOpen, received, unsendableRequest } from '../json-head/pending-call.ts'
import { readJson } from '../json-head/read-json.ts'
import { SoleCall } from '../json-head/sole-call.ts'
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
  readonly #sole: SoleCall
  #askedBytes = 0

  constructor(wire: Wire, room: Room) {
    this.#link = new JsonLink(wire, room, { owner: this, lists: false })
    this.#sole = new SoleCall(this.#link)
  }

  get state(): SessionState {
    return this.#link.state
  }

  get inFlight(): number {
    return this.#sole.asked ? 1 : 0
  }

  readonly call = (call: Call): Reply | PromiseLike<Reply> => {
    const { address } = this.#link.wire.peer
    if (this.state !== 'ready' || !this.#link.open) return fail(call, notOpen(address, this.state))
    if (this.#sole.asked) return fail(call, notOpen(address, 'waiting for the answer to another call'))
    call.phase = 'send'
    call.meet(this.#link.wire.peer)
    let text: string
    try {
      text = writeRequest(call, this.#link.room.limits)
    } catch (thrown) {
      return fail(call, unsendableRequest(thrown))
    }
    this.#askedBytes = text.length
    return this.#sole.send(call, () => this.#link.send(text))
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

  readonly onMessage: JsonLinkOwner['onMessage'] = (bytes, range, problem) => {
    if (!this.#sole.asked)
      return this.#break(new RpcError('internal', 'an answer came that nobody asked for'))
    this.#sole.asked = false
    const pending = this.#sole.take()
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
    this.#sole.take()?.fail(received(new RpcError('internal', `the answer is no JSON: ${problem.message}`)))
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

  #lose(reason: RpcError | undefined): void {
    const hint =
      this.#askedBytes > originalReadBytes
        ? `; the request has ${this.#askedBytes} bytes, and the original lab servers read no more than ${originalReadBytes}`
        : ''
    this.#sole.take()?.fail(lostCall(this.#link.wire.peer.address, reason, hint))
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
