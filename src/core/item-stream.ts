import { RpcError } from './error.ts'
import type { Stream } from './stream.ts'

/** What becomes of a stream, for whoever fills it. */
export interface ItemStreamOptions {
  /** An item has been taken; `cost` is what it was pushed with. Flow control gives it back as credit. */
  readonly onTaken?: (cost: number) => void
  /** The reader has left, or cancelled with a reason. Called at most once, and not after the end has come. */
  readonly onLeft?: (reason: RpcError) => void
}

interface Waiter<T> {
  resolve(result: IteratorResult<T, void>): void
  reject(error: RpcError): void
}

type Ending = { readonly error: RpcError | undefined }

const done: IteratorReturnResult<void> = { done: true, value: undefined }

/**
 * The receiving end of a stream: items are pushed as they arrive and taken by one loop. It does not bound what is
 * pushed; whoever pushes keeps to the credit that `onTaken` gives back.
 */
export class ItemStream<T = unknown> implements Stream<T> {
  // A queue as an array with a moving head: shift() of a long array costs a copy.
  #items: T[] = []
  #costs: number[] = []
  #first = 0
  #waiting: Waiter<T>[] = []
  #ending: Ending | undefined
  #left = false
  #iterated = false
  readonly #options: ItemStreamOptions

  constructor(options: ItemStreamOptions = {}) {
    this.#options = options
  }

  get buffered(): number {
    return this.#items.length - this.#first
  }

  push(item: T, cost = 0): void {
    if (this.#ending !== undefined) return
    const waiter = this.#waiting.shift()
    if (waiter === undefined) {
      this.#items.push(item)
      this.#costs.push(cost)
      return
    }
    waiter.resolve({ done: false, value: item })
    this.#options.onTaken?.(cost)
  }

  /** No more items. What is buffered can still be taken; then the loop ends, or throws `error` once. */
  finish(error?: RpcError): void {
    if (this.#ending !== undefined) return
    this.#ending = { error }
    if (this.#waiting.length > 0) this.#settleWaiting()
  }

  cancel(reason: RpcError): void {
    this.#leave(reason)
    if (this.#ending === undefined) this.#ending = { error: reason }
    this.#drop()
    this.#settleWaiting()
  }

  [Symbol.asyncIterator](): AsyncIterator<T, void, undefined> {
    if (this.#iterated) throw new RpcError('failed_precondition', 'a stream can be iterated only once')
    this.#iterated = true
    return { next: () => this.#next(), return: () => this.#return() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#return()
  }

  #next(): Promise<IteratorResult<T, void>> {
    if (this.#first < this.#items.length) return Promise.resolve({ done: false, value: this.#take() })
    if (this.#ending !== undefined) return this.#end()
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  #take(): T {
    const item = this.#items[this.#first] as T
    const cost = this.#costs[this.#first] as number
    // Dropped, so that a long queue does not keep alive what has been taken.
    this.#items[this.#first] = undefined as T
    if (++this.#first === this.#items.length) this.#drop()
    else if (this.#first === 1024) {
      this.#items = this.#items.slice(1024)
      this.#costs = this.#costs.slice(1024)
      this.#first = 0
    }
    this.#options.onTaken?.(cost)
    return item
  }

  #drop(): void {
    this.#items = []
    this.#costs = []
    this.#first = 0
  }

  // A failure is raised once; whoever asks again finds the end.
  #end(): Promise<IteratorResult<T, void>> {
    const error = this.#ending?.error
    this.#ending = { error: undefined }
    return error === undefined ? Promise.resolve(done) : Promise.reject(error)
  }

  #settleWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    const error = this.#ending?.error
    this.#ending = { error: waiting.length > 0 ? undefined : error }
    for (const [index, waiter] of waiting.entries()) {
      if (index === 0 && error !== undefined) waiter.reject(error)
      else waiter.resolve(done)
    }
  }

  #return(): Promise<IteratorResult<T, void>> {
    this.#leave(new RpcError('cancelled', 'the reader left the stream'))
    this.#ending = { error: undefined }
    this.#drop()
    this.#settleWaiting()
    return Promise.resolve(done)
  }

  #leave(reason: RpcError): void {
    if (this.#left || this.#ending !== undefined) return
    this.#left = true
    this.#options.onLeft?.(reason)
  }
}
