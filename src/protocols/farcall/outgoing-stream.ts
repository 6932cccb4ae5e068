import type { Call } from '../../core/call.ts'
import { runInCall } from '../../core/context.ts'
import { RpcError } from '../../core/error.ts'
import { isPending } from '../../core/layer.ts'
import { varintLength } from '../../core/bytes/varint.ts'
import { frameHeadBytes } from './frames.ts'

/** What sends the items of a stream. */
export interface StreamSink {
  /** Whether an item may be sent now: credit for the stream and the connection, and room on the wire. */
  mayStart(stream: OutgoingStream): boolean
  /** Keeps the stream until something has changed, then calls its `wake`. */
  park(stream: OutgoingStream): void
  /** Sends one. False if it is large and on its way; `wake` is then called when it has gone. */
  send(stream: OutgoingStream, item: unknown): boolean
}

export interface OutgoingStreamOptions {
  readonly id: number
  readonly sink: StreamSink
  readonly credit: number
  /** The call whose code the iterator is: it runs as part of that call. */
  readonly call: Call | undefined
  readonly onEnd: () => void
  readonly onError: (error: unknown) => void
  /** Before the first item is asked for. */
  readonly onFirst?: () => void
  /** An argument that nobody has taken from can go into another attempt, so it is then left alone. */
  readonly reusable: boolean
}

/**
 * Drains an async iterable into a sink. It asks for an item only with credit in hand, so a producer never runs ahead of
 * its consumer by more than the window. Written with callbacks: an async function would cost a promise more per item.
 */
export class OutgoingStream {
  readonly id: number
  /** How long a frame of it is before its body. */
  readonly headBytes: number
  credit: number
  /** What it has spent and the peer has not given back. */
  spent = 0
  readonly #options: OutgoingStreamOptions
  readonly #iterator: AsyncIterator<unknown>
  #state: 'running' | 'parked' | 'ended' = 'parked'
  #begun = false

  constructor(iterable: AsyncIterable<unknown>, options: OutgoingStreamOptions) {
    this.id = options.id
    this.headBytes = frameHeadBytes + varintLength(options.id)
    this.credit = options.credit
    this.#options = options
    this.#iterator = iterable[Symbol.asyncIterator]()
  }

  get ended(): boolean {
    return this.#state === 'ended'
  }

  /** The last of a large item has left: the next one may come. */
  left(): void {
    this.wake()
  }

  /** Goes on, if it waits. */
  wake(): void {
    if (this.#state !== 'parked') return
    this.#state = 'running'
    const { call } = this.#options
    if (call === undefined) this.#run()
    else runInCall(call, this.#run)
  }

  /**
   * Nobody wants more: lets the iterator run its `finally`. Resolves when it has; an iterator that is in the middle of
   * an item does so after it.
   */
  async stop(): Promise<void> {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    if (!this.#begun && this.#options.reusable) return
    const { call } = this.#options
    const finish = async () => this.#iterator.return?.()
    // What a finally throws has nobody left to tell.
    await (call === undefined ? finish() : runInCall(call, finish)).catch(() => {})
  }

  readonly #run = (): void => {
    while (this.#state === 'running') {
      if (!this.#options.sink.mayStart(this)) return this.#park()
      if (!this.#begun) {
        this.#begun = true
        this.#options.onFirst?.()
      }
      let step: IteratorResult<unknown> | PromiseLike<IteratorResult<unknown>>
      try {
        step = this.#iterator.next()
      } catch (error) {
        return this.#fail(error)
      }
      if (isPending(step)) {
        step.then(this.#onStep, this.#fail)
        return
      }
      if (!this.#take(step)) return
    }
  }

  readonly #onStep = (step: IteratorResult<unknown>): void => {
    if (this.#take(step)) this.#run()
  }

  readonly #fail = (error: unknown): void => {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#options.onError(error)
  }

  // Whether to go on with the next one at once.
  #take(step: IteratorResult<unknown>): boolean {
    if (this.#state === 'ended') return false
    if (typeof step !== 'object' || step === null) {
      this.#fail(new RpcError('internal', 'an async iterator gave a result that is no object'))
      return false
    }
    if (step.done === true) {
      this.#state = 'ended'
      this.#options.onEnd()
      return false
    }
    try {
      if (this.#options.sink.send(this, step.value)) return true
      this.#state = 'parked'
      return false
    } catch (error) {
      void this.stop()
      this.#options.onError(error)
      return false
    }
  }

  #park(): void {
    this.#state = 'parked'
    this.#options.sink.park(this)
  }
}
