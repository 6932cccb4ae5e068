import type { Call } from './call.ts'
import type { RpcError } from './error.ts'
import type { Handler, Reply } from './layer.ts'
import { refuse } from './settle.ts'

interface Waiting {
  readonly call: Call
  readonly since: number
  resolve(reply: Reply | PromiseLike<Reply>): void
  reject(error: unknown): void
}

/**
 * Calls that wait for their turn, first come, first served. One that is cancelled or expires leaves at once, was
 * certainly not executed, and never runs.
 */
export class CallQueue {
  // A Set keeps the order and takes one out of the middle without a search.
  readonly #waiting = new Set<Waiting>()

  /** How many wait. */
  get size(): number {
    return this.#waiting.size
  }

  /** When the call that waits longest came, by its clock; undefined if none waits. */
  get oldestSince(): number | undefined {
    return this.#first()?.since
  }

  /** Lets a call wait; settled by what it comes to once it is released, or refused. */
  add(call: Call): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { call, since: call.clock.now(), resolve, reject }
      this.#waiting.add(waiting)
      call.onCancel((reason) => this.#refuse(waiting, reason))
    })
  }

  /** Lets the call that has waited longest go to a handler; false if there is none. */
  release(handler: Handler): boolean {
    for (let first = this.#first(); first !== undefined; first = this.#first()) {
      const { call } = first
      // The loop may have been blocked past the deadline: what is late never runs.
      if (call.deadline <= call.clock.now()) call.onDue()
      if (!this.#waiting.delete(first)) continue
      settle(first, () => handler(call))
      return true
    }
    return false
  }

  /** Turns away the one that has waited longest. */
  refuseFirst(error: RpcError): void {
    const first = this.#first()
    if (first !== undefined) this.#refuse(first, error)
  }

  /** Turns all of them away. */
  refuseAll(error: RpcError): void {
    // Those that come while these are turned away are not meant.
    const meant = Array.from(this.#waiting)
    for (const waiting of meant) this.#refuse(waiting, error)
  }

  /** All that wait, longest first. */
  *calls(): Iterable<Call> {
    for (const { call } of this.#waiting) yield call
  }

  #first(): Waiting | undefined {
    return this.#waiting.values().next().value
  }

  #refuse(waiting: Waiting, error: RpcError): void {
    if (this.#waiting.delete(waiting)) settle(waiting, () => refuse(waiting.call, error, true))
  }
}

function settle(waiting: Waiting, reply: () => Reply | PromiseLike<Reply>): void {
  try {
    waiting.resolve(reply())
  } catch (error) {
    waiting.reject(error)
  }
}
