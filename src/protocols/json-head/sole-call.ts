import type { Call } from '../../core/call.ts'
import type { RpcError } from '../../core/error.ts'
import { closedHere, PendingCall } from './pending-call.ts'
import type { Link } from './link.ts'

/** The call of a client whose connection carries one at a time. */
export class SoleCall {
  /** A request was sent whose answer has not come, whether or not somebody still waits for it. */
  asked = false
  readonly #link: Link
  #pending: PendingCall | undefined = undefined

  constructor(link: Link) {
    this.#link = link
  }

  /** The very promise that the caller gets; `write` sends the request. */
  send(call: Call, write: () => void): PendingCall['promise'] {
    const pending = new PendingCall(call)
    this.asked = true
    write()
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
      this.take()?.fail(reason)
      // The answer, should it come, would be taken for that of the next call.
      void this.#link.finish()
    })
    return pending.promise
  }

  /** Gives the call that waits, if one does, to whoever settles it. */
  take(): PendingCall | undefined {
    const pending = this.#pending
    this.#pending = undefined
    return pending
  }

  /** Fails the call that waits, and ends the connection in good order. */
  close(reason: RpcError = closedHere()): Promise<void> {
    this.take()?.fail(reason)
    return this.#link.finish()
  }
}
