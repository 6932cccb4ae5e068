import type { Clock } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'
import { isStream, type Stream } from '../core/stream.ts'
import type { Timed } from '../core/wheel.ts'

/** The reply of a call, where it is a stream: one that fails when it brings nothing for `idleTimeoutMs`. */
export async function watchIdle(
  reply: Promise<unknown>,
  idleTimeoutMs: number,
  clock: Clock,
): Promise<unknown> {
  const value = await reply
  return isStream(value) ? new IdleStream(value as Stream, idleTimeoutMs, clock) : value
}

/** Time counts only while the reader waits: a reader that takes its time does not make the producer late. */
class IdleStream implements Stream, Timed {
  due = 0
  before: Timed | undefined = undefined
  after: Timed | undefined = undefined
  slot = -1

  readonly #stream: Stream
  readonly #idleTimeoutMs: number
  readonly #clock: Clock
  #begun = false

  constructor(stream: Stream, idleTimeoutMs: number, clock: Clock) {
    this.#stream = stream
    this.#idleTimeoutMs = idleTimeoutMs
    this.#clock = clock
  }

  get buffered(): number {
    return this.#stream.buffered
  }

  cancel(reason: RpcError): void {
    this.#rest()
    this.#stream.cancel(reason)
  }

  onDue(): void {
    this.#stream.cancel(
      new RpcError(
        'deadline_exceeded',
        `no item of the stream came within ${this.#idleTimeoutMs} ms (idleTimeoutMs)`,
        {
          phase: 'receive',
        },
      ),
    )
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, void, undefined> {
    const items = this.#stream[Symbol.asyncIterator]()
    return {
      next: async () => {
        this.#wait()
        try {
          const result = await items.next()
          this.#begun = true
          return result
        } finally {
          this.#rest()
        }
      },
      return: async () => {
        this.#rest()
        return (await items.return?.()) ?? { done: true, value: undefined }
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rest()
    await this.#stream[Symbol.asyncDispose]()
  }

  #wait(): void {
    // The first item has the deadline of the call.
    if (!this.#begun || this.slot >= 0) return
    this.due = this.#clock.now() + this.#idleTimeoutMs
    this.#clock.deadlines.add(this)
  }

  #rest(): void {
    this.#clock.deadlines.remove(this)
  }
}
