/** Each item changed by a function; leaving it leaves the source, also while an item is awaited. */
export function mapAsync<T, R>(source: AsyncIterable<T>, change: (item: T) => R): AsyncIterable<R> {
  return {
    [Symbol.asyncIterator]: () => {
      const items = source[Symbol.asyncIterator]()
      return {
        next: async () => {
          const result = await items.next()
          return result.done === true
            ? { done: true, value: undefined }
            : { done: false, value: change(result.value) }
        },
        return: async () => {
          await items.return?.()
          return { done: true, value: undefined }
        },
      }
    },
  }
}
