import { captureFlow } from './context.ts'

/**
 * The same items, made in the flow of whoever calls this now. A session asks for items when credit comes, in the flow of
 * its connection: code of the caller must not run there, where it would miss the call that it belongs to and everything
 * else that follows the caller's flow.
 */
export function inThisFlow<T>(items: AsyncIterable<T>): AsyncIterable<T> {
  const flow = captureFlow()
  return {
    [Symbol.asyncIterator]() {
      const iterator = flow(() => items[Symbol.asyncIterator]())
      const leave = iterator.return?.bind(iterator)
      return {
        next: () => flow(() => iterator.next()),
        ...(leave !== undefined && { return: () => flow(() => leave()) }),
      }
    },
  }
}
