import type { Call } from '../core/call.ts'
import { isNotExecuted, RpcError } from '../core/error.ts'
import { type Handler, isPending } from '../core/layer.ts'
import { isStream, type Stream } from '../core/stream.ts'

/**
 * Keeps the promises of a call around layers that others wrote: it ends exactly once, also where a layer answers by
 * itself; whatever is thrown becomes an RpcError; and the caller is answered at once when the call is cancelled or
 * its time is over, also where a layer takes no notice. Clients without such layers do without it.
 */
export function guarded(handler: Handler): Handler {
  return (call) =>
    new Promise((resolve, reject) => {
      call.onCancel((reason) => call.end(reason, isNotExecuted(reason)))
      call.onEnd(({ error }) => {
        if (call.cancelled !== undefined && error !== undefined) reject(error)
      })
      const answered = (reply: unknown) => resolve(settled(call, reply))
      const failed = (thrown: unknown) => {
        const error = RpcError.from(thrown)
        call.end(error, isNotExecuted(error))
        reject(error)
      }
      try {
        const reply = handler(call)
        if (isPending(reply)) reply.then(answered, failed)
        else answered(reply)
      } catch (thrown) {
        failed(thrown)
      }
    })
}

function settled(call: Call, reply: unknown): unknown {
  if (call.ended) return reply
  if (isStream(reply)) return new WatchedStream(call, reply)
  call.end()
  return reply
}

/** A stream that came through the layers of a user, and ends its call when it ends. */
class WatchedStream implements Stream {
  readonly #call: Call
  readonly #source: AsyncIterable<unknown> & Partial<Stream>
  #items: AsyncIterator<unknown> | undefined

  constructor(call: Call, source: AsyncIterable<unknown>) {
    this.#call = call
    this.#source = source
    call.onCancel((reason) => this.cancel(reason))
  }

  get buffered(): number {
    return this.#source.buffered ?? 0
  }

  cancel(reason: RpcError): void {
    if (this.#source.cancel !== undefined) this.#source.cancel(reason)
    else void this.#leave()
    this.#call.end(reason)
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, void, undefined> {
    const items = this.#source[Symbol.asyncIterator]()
    this.#items = items
    return {
      next: async () => {
        try {
          const result = await items.next()
          if (result.done) this.#call.end()
          else this.#call.liftDeadline()
          return result
        } catch (thrown) {
          const error = RpcError.from(thrown)
          this.#call.end(error)
          throw error
        }
      },
      return: async () => {
        this.#call.end()
        await items.return?.()
        return { done: true, value: undefined }
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#call.end()
    await (this.#source[Symbol.asyncDispose]?.() ?? this.#leave())
  }

  // A source that fails while it is left has nobody to tell.
  async #leave(): Promise<void> {
    try {
      const items = this.#items ?? this.#source[Symbol.asyncIterator]()
      await items.return?.()
    } catch {}
  }
}
