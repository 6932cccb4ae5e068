import type { Call } from '../core/call.ts'
import type { RpcError } from '../core/error.ts'
import type { Reply } from '../core/layer.ts'
import { refuse } from '../core/settle.ts'

/** What is to be done with a call; undefined while it is not known. */
export type Decide = (
  call: Call,
  instance: string | undefined,
) => (() => Reply | PromiseLike<Reply>) | undefined

interface Waiter {
  readonly call: Call
  readonly instance: string | undefined
  readonly settle: (answer: () => Reply | PromiseLike<Reply>) => void
}

/** The calls that wait for somebody to be given to, in the order in which they were made. */
export class Waiting {
  readonly #waiters = new Set<Waiter>()

  /** Holds a call until `serve` knows what to do with it; one that is cancelled before fails as `explain` says. */
  add(call: Call, instance: string | undefined, explain: (reason: RpcError) => RpcError): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const settle: Waiter['settle'] = (answer) => {
        this.#waiters.delete(waiter)
        try {
          resolve(answer())
        } catch (thrown) {
          reject(thrown)
        }
      }
      const waiter: Waiter = { call, instance, settle }
      this.#waiters.add(waiter)
      call.onCancel((reason) => {
        if (this.#waiters.has(waiter)) settle(() => refuse(call, explain(reason), true))
      })
    })
  }

  /** Goes through all that wait. */
  serve(decide: Decide): void {
    // Those that come while these are served have their turn the next time.
    const waiters = [...this.#waiters]
    for (const { call, instance, settle } of waiters) {
      const answer = decide(call, instance)
      if (answer !== undefined) settle(answer)
    }
  }
}
