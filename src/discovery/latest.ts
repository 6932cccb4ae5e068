/**
 * A value that changes, for readers who want the newest only: a slow one misses what was in between, and nothing piles
 * up. Readers are woken when their signal is aborted.
 */
export class Latest<T> {
  #value: T | undefined
  #version = 0
  readonly #wakers = new Set<() => void>()

  /** The newest; undefined before the first. */
  get value(): T | undefined {
    return this.#value
  }

  publish(value: T): void {
    this.#value = value
    this.#version++
    for (const wake of this.#wakers) wake()
  }

  /** The newest value, if there is one, then each that is newer when it is asked for. */
  read(signal: AbortSignal, onEnd: () => void = () => {}): AsyncIterableIterator<T, void> {
    let seen = 0
    let ended = false
    let answer: ((result: IteratorResult<T, void>) => void) | undefined
    const end = () => {
      if (ended) return
      ended = true
      this.#wakers.delete(wake)
      signal.removeEventListener('abort', end)
      give({ done: true, value: undefined })
      onEnd()
    }
    const give = (result: IteratorResult<T, void>) => {
      const waiting = answer
      answer = undefined
      waiting?.(result)
    }
    const take = (): IteratorResult<T, void> | undefined => {
      if (ended) return { done: true, value: undefined }
      if (seen === this.#version) return undefined
      seen = this.#version
      return { done: false, value: this.#value as T }
    }
    const wake = () => {
      if (answer === undefined) return
      const result = take()
      if (result !== undefined) give(result)
    }
    this.#wakers.add(wake)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
    return {
      [Symbol.asyncIterator]() {
        return this
      },
      next: () => {
        const result = take()
        if (result !== undefined) return Promise.resolve(result)
        return new Promise((resolve) => (answer = resolve))
      },
      return: () => {
        end()
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }
}
