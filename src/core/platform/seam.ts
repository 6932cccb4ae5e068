/** A value that follows the flow of a call through awaits, timers and callbacks. */
export interface Context<T> {
  get(): T | undefined
  run<R>(value: T | undefined, fn: () => R): R
  /** The flow as it is here: a cheaper place to run from, for who does so again and again. */
  place(): Place<T>
}

/** A flow in which functions are run with a value; see {@link Context.place}. */
export interface Place<T> {
  /** As `run` of the context would, where the flow is that of the place. */
  run<R>(value: T, fn: (...args: readonly unknown[]) => R, args: readonly unknown[]): R
}

/** Runs a function in the flow in which it was taken. */
export type Snapshot = <R>(fn: () => R) => R
