import type { Call } from './call.ts'
import { captureFlow } from './context.ts'
import { isPending } from './layer.ts'

type Item = IteratorResult<unknown, unknown>

/**
 * A stream that a method answers with, as a session gets it. Whatever of the method runs to make an item, or to clean
 * up, runs as part of its call, and in the flow in which the method was called (a layer may have entered a context of
 * its own), not in that of whoever asks for the item. Whatever it throws is the error that the caller may see. Nothing
 * of the method runs before the first item is asked for. It can be iterated once.
 */
export class ReplyStream implements AsyncIterable<unknown, unknown>, AsyncIterator<unknown, unknown> {
  readonly #flow: ReturnType<typeof captureFlow>
  readonly #stream: AsyncIterable<unknown, unknown>
  readonly #refuse: (thrown: unknown) => unknown
  #iterator: AsyncIterator<unknown, unknown> | undefined = undefined

  /** `call` is undefined for a method that promises not to ask for it. */
  constructor(
    call: Call | undefined,
    stream: AsyncIterable<unknown, unknown>,
    refuse: (thrown: unknown) => Promise<never>,
  ) {
    this.#flow = captureFlow(call)
    this.#stream = stream
    this.#refuse = refuse
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Item> {
    return this.#settle(() => this.#source().next())
  }

  return(value?: unknown): Promise<Item> {
    return this.#settle(() => this.#source().return?.(value) ?? { done: true, value })
  }

  /** Ends it, for whoever has no use for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #source(): AsyncIterator<unknown, unknown> {
    this.#iterator ??= this.#stream[Symbol.asyncIterator]()
    return this.#iterator
  }

  #settle(step: () => PromiseLike<Item> | Item): Promise<Item> {
    try {
      const item = this.#flow(step)
      if (isPending(item)) return item.then(undefined, this.#refuse) as Promise<Item>
      return Promise.resolve(item)
    } catch (thrown) {
      return this.#refuse(thrown) as Promise<Item>
    }
  }
}
