import type { Cancel } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'
import type { FeedItem } from '../discovery/api/messages.ts'
import type { Query } from '../discovery/resolver.ts'
import type { RegistryStore } from './store.ts'

type Result = IteratorResult<FeedItem, void>

/**
 * One watch of the registry. It holds nothing for its reader: what changed is found out when the reader asks, so a
 * slow one gets everything at once, later. Not a generator, because leaving it must not wait for the next change.
 */
export class Watch implements AsyncIterableIterator<FeedItem, void>, AsyncDisposable {
  readonly #store: RegistryStore
  readonly #query: Query
  readonly #onClose: () => void
  /** The last revision of which the reader has been told everything. */
  #seen: string | undefined
  #parts: readonly FeedItem[] = []
  #part = 0
  #answer: ((result: Result) => void) | undefined
  #toldAt: number
  #begun = false
  #closed = false
  #cancelBookmark: Cancel | undefined

  constructor(
    store: RegistryStore,
    query: Query,
    options: { from: string | undefined; onClose: () => void },
  ) {
    this.#store = store
    this.#query = query
    this.#seen = options.from
    this.#onClose = options.onClose
    this.#toldAt = store.clock.now()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result> {
    if (this.#answer !== undefined) {
      return Promise.reject(
        new RpcError('failed_precondition', 'a watch is read by one reader, one item at a time'),
      )
    }
    if (this.#closed) return Promise.resolve({ done: true, value: undefined })
    const item = this.#take()
    if (item !== undefined) return Promise.resolve({ done: false, value: item })
    return new Promise((resolve) => {
      this.#answer = resolve
      this.#store.bell.add(this.#wake)
      if (this.#cancelBookmark === undefined) this.#awaitBookmark()
    })
  }

  return(): Promise<Result> {
    this.close()
    return Promise.resolve({ done: true, value: undefined })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  /** Ends it, also for a reader that is waiting. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#parts = []
    this.#cancelBookmark?.()
    this.#answerWith({ done: true, value: undefined })
    this.#onClose()
  }

  readonly #wake = (): void => {
    const item = this.#take()
    if (item !== undefined) this.#give(item)
  }

  /** The next part, or what is new; undefined where nothing is. */
  #take(): FeedItem | undefined {
    if (this.#part === this.#parts.length) this.#find()
    const item = this.#parts[this.#part]
    if (item === undefined) return undefined
    this.#part++
    this.#toldAt = this.#store.clock.now()
    return item
  }

  #find(): void {
    const { views } = this.#store
    const changes = this.#seen === undefined ? undefined : views.since(this.#query, this.#seen)
    const parts = changes ?? views.snapshot(this.#query, this.#seen !== undefined)
    this.#seen = views.revision
    // Who resumes and has missed nothing is told so at once.
    this.#parts = parts.length === 0 && !this.#begun ? [this.#bookmark()] : parts
    this.#part = 0
    this.#begun = true
  }

  // A timer that is left alone when something is told, and looks how long ago that was: nearly always it was in between.
  #awaitBookmark(): void {
    const { clock, options } = this.#store
    const waitMs = Math.max(0, this.#toldAt + options.bookmarkMs - clock.now())
    this.#cancelBookmark = clock.afterInBackground(waitMs, () => {
      this.#cancelBookmark = undefined
      // Who does not ask now does so later, and the timer is set then.
      if (this.#answer === undefined) return
      if (clock.now() < this.#toldAt + options.bookmarkMs) this.#awaitBookmark()
      else this.#give(this.#bookmark())
    })
  }

  #bookmark(): FeedItem {
    this.#toldAt = this.#store.clock.now()
    return { kind: 'bookmark', revision: this.#seen ?? this.#store.revision }
  }

  #give(item: FeedItem): void {
    this.#answerWith({ done: false, value: item })
  }

  #answerWith(result: Result): void {
    this.#store.bell.remove(this.#wake)
    const answer = this.#answer
    this.#answer = undefined
    answer?.(result)
  }
}
