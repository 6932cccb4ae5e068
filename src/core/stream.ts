import type { RpcError } from './error.ts'

/**
 * Items that arrive one after the other. Leaving the loop (`break`, `return`, a throw) or disposing of it cancels
 * what produces them. It can be iterated once; a failure is raised exactly once, in the loop.
 */
export interface Stream<T = unknown> extends AsyncIterable<T, void>, AsyncDisposable {
  /** How many items have arrived and are not yet taken. */
  readonly buffered: number
  /** Ends it at once: the loop throws `reason`, and the producer is told. */
  cancel(reason: RpcError): void
  [Symbol.asyncIterator](): AsyncIterator<T, void, undefined>
}

/** Whether a value is a stream to Farcall: anything that can be iterated asynchronously. */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function'
  )
}
