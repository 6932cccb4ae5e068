type Item = IteratorResult<unknown, unknown>

/**
 * A stream of what a function makes of each item. It holds nothing of its own: what is taken from it is taken from its
 * source at once, and leaving it leaves the source. A function that throws ends both.
 */
export function mapStream(
  source: AsyncIterable<unknown>,
  map: (item: unknown) => unknown,
): AsyncIterable<unknown> {
  return { [Symbol.asyncIterator]: () => new MappedIterator(source[Symbol.asyncIterator](), map) }
}

// Not an async generator: that would answer `return` only after the item that is being waited for.
class MappedIterator implements AsyncIterator<unknown, unknown> {
  readonly #source: AsyncIterator<unknown, unknown>
  readonly #map: (item: unknown) => unknown

  constructor(source: AsyncIterator<unknown, unknown>, map: (item: unknown) => unknown) {
    this.#source = source
    this.#map = map
  }

  async next(): Promise<Item> {
    const item = await this.#source.next()
    if (item.done === true) return item
    try {
      return { done: false, value: await this.#map(item.value) }
    } catch (thrown) {
      await this.return().catch(() => {})
      throw thrown
    }
  }

  async return(value?: unknown): Promise<Item> {
    return (await this.#source.return?.(value)) ?? { done: true, value }
  }
}
