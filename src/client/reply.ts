import { RpcError } from '../core/error.ts'
import { isStream } from '../core/stream.ts'

/** What a call gives: a native promise that can also be iterated, where its reply is a stream. */
export type IterableReply = Promise<unknown> & AsyncIterable<unknown>

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }
const nothing = () => {}

/**
 * Makes a promise iterable, in place. One shared function for all calls: the promise stays the very one that the
 * session settles, and a call costs no second one.
 */
export function iterable(reply: Promise<unknown>): IterableReply {
  const iterated = reply as IterableReply
  iterated[Symbol.asyncIterator] = iterate
  return iterated
}

function iterate(this: Promise<unknown>): AsyncIterator<unknown> {
  // From here on the loop raises the failure; the promise itself counts as handled.
  this.then(nothing, nothing)
  return new ReplyIterator(this)
}

/** Iterates the stream that a promise brings. A failure, before or after it is there, is raised exactly once. */
class ReplyIterator implements AsyncIterator<unknown> {
  readonly #reply: Promise<unknown>
  #opening: Promise<AsyncIterator<unknown>> | undefined
  #items: AsyncIterator<unknown> | undefined
  #over = false

  constructor(reply: Promise<unknown>) {
    this.#reply = reply
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#items !== undefined) return this.#items.next()
    if (this.#over) return Promise.resolve(done)
    return this.#open().then(
      (items) => (this.#over ? done : items.next()),
      (error: unknown) => {
        if (this.#over) return done
        this.#over = true
        throw error
      },
    )
  }

  return(): Promise<IteratorResult<unknown>> {
    if (this.#items !== undefined) return this.#items.return?.() ?? Promise.resolve(done)
    this.#over = true
    // Left before the stream was there: it is left as soon as it comes.
    this.#open()
      .then((items) => items.return?.(), nothing)
      .then(nothing, nothing)
    return Promise.resolve(done)
  }

  #open(): Promise<AsyncIterator<unknown>> {
    this.#opening ??= this.#reply.then((value) => {
      if (!isStream(value)) {
        throw new RpcError(
          'failed_precondition',
          'the reply is a value, not a stream: await it instead of iterating it',
        )
      }
      const items = value[Symbol.asyncIterator]()
      if (!this.#over) this.#items = items
      return items
    })
    return this.#opening
  }
}
