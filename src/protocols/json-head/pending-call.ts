import type { Call } from '../../core/call.ts'
import { isNotExecuted, markNotExecuted, RpcError } from '../../core/error.ts'
import type { Reply } from '../../core/layer.ts'

/** A call that waits for its reply, on the client's side. */
export class PendingCall {
  readonly call: Call
  /** The very promise that the caller gets. */
  readonly promise: Promise<Reply>
  readonly #resolve: (reply: Reply | PromiseLike<Reply>) => void
  readonly #reject: (error: RpcError) => void

  constructor(call: Call) {
    this.call = call
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
  }

  succeed(value: Reply): void {
    this.call.begin()
    this.call.end()
    this.#resolve(value)
  }

  fail(error: RpcError): void {
    this.call.end(error, isNotExecuted(error))
    // A layer may have put another attempt in the place of this one.
    if (this.call.replacement !== undefined) this.#resolve(this.call.replacement)
    else this.#reject(error)
  }
}

/** A call that cannot be made on this connection any more. */
export function notOpen(peer: string, state: string): RpcError {
  return markNotExecuted(
    new RpcError('unavailable', `the connection to ${peer} is ${state}`, { phase: 'send' }),
  )
}

/** A call that waited when its connection was closed without another reason. */
export function closedHere(): RpcError {
  return new RpcError('unavailable', 'the connection was closed on this side', { phase: 'wait' })
}

/** A call whose connection was lost; whether it was executed is not known. */
export function lostCall(peer: string, reason: RpcError | undefined, hint = ''): RpcError {
  const why = reason === undefined ? 'the connection ended' : reason.message
  return new RpcError(
    reason?.code ?? 'unavailable',
    `the connection to ${peer} was lost before the answer: ${why}${hint}`,
    { cause: reason, phase: reason?.phase ?? 'wait' },
  )
}

/** What kept a request from being written: it was certainly not executed. */
export function unsendableRequest(thrown: unknown): RpcError {
  const { code, message } = RpcError.from(thrown, 'invalid_argument')
  return markNotExecuted(new RpcError(code, message, { cause: thrown, phase: 'send' }))
}

/** The same error, with the phase in which it happened. */
export function received(error: RpcError): RpcError {
  const { code, message } = error
  return new RpcError(code, message, { cause: error, phase: 'receive' })
}
