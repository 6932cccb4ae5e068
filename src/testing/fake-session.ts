import type { Call } from '../core/call.ts'
import { isNotExecuted, markNotExecuted, RpcError } from '../core/error.ts'
import type { Handler, Reply } from '../core/layer.ts'
import { fail } from '../core/settle.ts'
import type { Capabilities, ClientSession, SessionState } from '../protocols/protocol.ts'
import type { Wire } from '../transports/transport.ts'

/** What a fake session tells its peer. */
export interface FakeSessionInit {
  readonly wire: Wire
  readonly peer: {
    readonly calls: FakeCall[]
    readonly violations: string[]
    readonly answer: ((call: Call) => Reply) | undefined
  }
  readonly calls: Capabilities['calls']
  readonly limit: number
  readonly negotiated: boolean
}

/** The client's side of a connection to a fake peer; the test plays the peer with it. */
export class FakeSession implements ClientSession {
  onState: (state: SessionState, reason?: RpcError) => void = () => {}
  state: SessionState
  limit: number
  readonly wire: Wire
  readonly #init: FakeSessionInit
  readonly #pending = new Set<FakeCall>()
  #made = 0

  constructor(init: FakeSessionInit) {
    this.#init = init
    this.wire = init.wire
    this.limit = init.limit
    this.state = init.negotiated ? 'ready' : 'opening'
  }

  get inFlight(): number {
    return this.#pending.size
  }

  readonly call: Handler = (call) => {
    this.#check(call)
    if (this.state === 'closed' || this.state === 'draining')
      return fail(call, gone(`the connection is ${this.state}`))
    this.#made++
    call.phase = 'wait'
    const made = new FakeCall(call, this, () => this.#pending.delete(made))
    this.#pending.add(made)
    this.#init.peer.calls.push(made)
    call.onEnd(() => {
      if (this.state === 'draining' && this.#pending.size === 0) this.#end()
    })
    call.onCancel((reason) => made.fail(reason))
    this.#answer(made)
    return made.promise
  }

  /** The peer has answered the greeting. */
  becomeReady(): void {
    this.#enter('ready')
  }

  /** The peer says that it is stopping. */
  drainByPeer(): void {
    this.drain()
  }

  /** The connection breaks. */
  die(reason: RpcError = new RpcError('unavailable', 'connection reset', { phase: 'wait' })): void {
    this.#end(reason)
  }

  drain(): void {
    if (this.state === 'closed' || this.state === 'draining') return
    this.#enter('draining')
    if (this.#pending.size === 0) this.#end()
  }

  async close(reason?: RpcError): Promise<void> {
    this.#end(
      reason ?? new RpcError('unavailable', 'the connection was closed on this side', { phase: 'wait' }),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #check(call: Call): void {
    const { calls, peer } = this.#init
    const { state } = this
    if (state !== 'ready') peer.violations.push(`${call.name} on a connection that is ${state}`)
    if (call.cancelled !== undefined) peer.violations.push(`${call.name} sent though it was cancelled`)
    if (this.inFlight >= this.limit) peer.violations.push(`${call.name} beyond the limit of ${this.limit}`)
    if (calls === 'one-per-connection' && this.#made > 0)
      peer.violations.push(`${call.name} on a used connection`)
  }

  #answer(made: FakeCall): void {
    const { answer } = this.#init.peer
    if (answer === undefined || made.settled) return
    try {
      made.answer(answer(made.call))
    } catch (thrown) {
      made.fail(RpcError.from(thrown))
    }
  }

  #end(reason?: RpcError): void {
    if (this.state === 'closed') return
    this.#enter('closed', reason)
    this.wire.close(reason)
    const lost = Array.from(this.#pending)
    for (const made of lost) made.fail(reason ?? gone('the connection was closed'))
  }

  #enter(state: SessionState, reason?: RpcError): void {
    if (this.state === state) return
    this.state = state
    this.onState(state, reason)
  }
}

/** A call that arrived at a fake peer and waits for what the test does with it. */
export class FakeCall {
  readonly call: Call
  readonly session: FakeSession
  readonly promise: Promise<Reply>
  settled = false
  readonly #resolve: (reply: Reply | PromiseLike<Reply>) => void
  readonly #reject: (error: RpcError) => void
  readonly #remove: () => void

  constructor(call: Call, session: FakeSession, remove: () => void) {
    this.call = call
    this.session = session
    this.#remove = remove
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
  }

  /** The peer answers with a value. */
  answer(value: Reply): void {
    if (!this.#settle()) return
    this.call.begin()
    this.call.end()
    this.#resolve(value)
  }

  /** The reply begins: its head has come, and no more. */
  begin(): void {
    this.call.begin()
  }

  /** The peer answers with an error, or the call ends in some other bad way. */
  fail(error: RpcError): void {
    if (!this.#settle()) return
    this.call.end(error, isNotExecuted(error))
    if (this.call.replacement !== undefined) this.#resolve(this.call.replacement)
    else this.#reject(error)
  }

  /** The peer's session refuses it: the handler has not run. */
  refuse(code: RpcError['code'] = 'unavailable'): void {
    this.fail(markNotExecuted(new RpcError(code, 'refused', { phase: 'wait' })))
  }

  #settle(): boolean {
    if (this.settled) return false
    this.settled = true
    this.#remove()
    return true
  }
}

function gone(message: string): RpcError {
  return markNotExecuted(new RpcError('unavailable', message, { phase: 'wait' }))
}
