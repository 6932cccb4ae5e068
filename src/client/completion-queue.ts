import { RpcError } from '../core/error.ts'

/** How a call ended that was put into a queue, and the tag that it was put in with. */
export type Completion<T = unknown, Tag = unknown> =
  | { readonly tag: Tag; readonly ok: true; readonly value: T; readonly error?: undefined }
  | { readonly tag: Tag; readonly ok: false; readonly error: RpcError; readonly value?: undefined }

/** Calls that are under way, and what became of them in the order in which they ended. */
export interface CompletionQueue<T = unknown, Tag = unknown>
  extends AsyncIterableIterator<Completion<T, Tag>, void> {
  /** Calls that have not ended. */
  readonly pending: number
  /**
   * Puts a call in. Its error comes out of the queue, and rejects nowhere else.
   * @throws RpcError `failed_precondition` once the queue is closed.
   */
  add(call: PromiseLike<T>, tag: Tag): void
  /** No more are put in: the loop over the queue ends once it has given the last. Harmless if repeated. */
  close(): void
}

/**
 * A queue for many calls of which each is looked at as it ends, by one reader: what `Go` with a shared `done` channel is
 * in Go. It holds what has ended until it is read; who puts calls in bounds their number, as `pending` tells.
 */
export function completionQueue<T = unknown, Tag = unknown>(): CompletionQueue<T, Tag> {
  return new Queue()
}

class Queue<T, Tag> implements CompletionQueue<T, Tag> {
  readonly #ended: Completion<T, Tag>[] = []
  readonly #readers: ((result: IteratorResult<Completion<T, Tag>, void>) => void)[] = []
  #pending = 0
  #closed = false

  get pending(): number {
    return this.#pending
  }

  add(call: PromiseLike<T>, tag: Tag): void {
    if (this.#closed) {
      throw new RpcError('failed_precondition', 'the completion queue is closed: no more calls can be put in')
    }
    this.#pending++
    call.then(
      (value) => this.#end({ tag, ok: true, value }),
      (thrown: unknown) => this.#end({ tag, ok: false, error: RpcError.from(thrown) }),
    )
  }

  close(): void {
    this.#closed = true
    this.#tellEnd()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Completion<T, Tag>, void>> {
    const ended = this.#ended.shift()
    if (ended !== undefined) return Promise.resolve({ done: false, value: ended })
    if (this.#closed && this.#pending === 0) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.#readers.push(resolve))
  }

  #end(completion: Completion<T, Tag>): void {
    this.#pending--
    const reader = this.#readers.shift()
    if (reader === undefined) this.#ended.push(completion)
    else reader({ done: false, value: completion })
    this.#tellEnd()
  }

  #tellEnd(): void {
    if (!this.#closed || this.#pending > 0) return
    for (const reader of this.#readers.splice(0)) reader({ done: true, value: undefined })
  }
}
