/** A value that follows the flow of a call through awaits, timers and callbacks. */
export interface Context<T> {
  get(): T | undefined
  run<R>(value: T | undefined, fn: () => R): R
}

/** Runs a function in the flow in which it was taken. */
export type Snapshot = <R>(fn: () => R) => R
