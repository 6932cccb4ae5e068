import type { Call } from '../../core/call.ts'
import type { RpcError } from '../../core/error.ts'
import type { Link } from './link.ts'
import { closedHere, PendingCall } from './pending-call.ts'

/** The calls of a client whose connection carries many at a time, by the ids that their answers name. */
export class WaitingCalls<Id extends number | bigint> {
  readonly #link: Link
  readonly #calls = new Map<Id, PendingCall>()

  constructor(link: Link) {
    this.#link = link
  }

  get size(): number {
    return this.#calls.size
  }

  /** The only one that waits; undefined where there are none, or several. */
  get sole(): Id | undefined {
    return this.#calls.size === 1 ? [...this.#calls.keys()][0] : undefined
  }

  get(id: Id): PendingCall | undefined {
    return this.#calls.get(id)
  }

  /** The very promise that the caller gets; `write` sends the request. */
  send(id: Id, call: Call, write: () => void): PendingCall['promise'] {
    const pending = new PendingCall(call)
    // Before it is written: that may show that the connection is gone, and then it fails with the others.
    if (!call.oneway) this.#calls.set(id, pending)
    write()
    if (call.oneway) {
      // Settled as soon as it is on its way: nobody waits for the answer.
      this.#link.wire.flush()
      pending.succeed(undefined)
      return pending.promise
    }
    call.phase = 'wait'
    // The peer cannot be told; its answer will find nobody.
    call.onCancel((reason) => {
      this.take(id)?.fail(reason)
      this.finishIfDrained()
    })
    return pending.promise
  }

  /** Gives a call to whoever settles it; it waits no longer. */
  take(id: Id): PendingCall | undefined {
    const pending = this.#calls.get(id)
    this.#calls.delete(id)
    return pending
  }

  failAll(errorOfEach: () => RpcError): void {
    // All are taken first: what a caller does about its failure must not be met here.
    const pending = Array.from(this.#calls.values())
    this.#calls.clear()
    for (const one of pending) one.fail(errorOfEach())
  }

  /** Fails those that wait, and ends the connection in good order. */
  close(reason: RpcError = closedHere()): Promise<void> {
    this.failAll(() => reason)
    return this.#link.finish()
  }

  /** Ends the connection if it takes no more calls and its last has ended. */
  finishIfDrained(): void {
    if (this.#link.state === 'draining' && this.#calls.size === 0) void this.#link.finish()
  }
}
