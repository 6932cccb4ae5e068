import { createContext, type Place, type Snapshot, snapshot } from '#platform'
import type { Call } from './call.ts'

const context = createContext<Call>()

/**
 * The call that the running code serves, or undefined outside of one. It is known through every await, timer and
 * callback that began inside the handler. Calls made inside inherit its deadline, cancellation and trace without
 * being told; once it has ended they keep only its trace.
 */
export function currentCall(): Call | undefined {
  return context.get()
}

/** Runs a function as part of a call: what sessions and the router do around a handler. */
export function runInCall<R>(call: Call, fn: () => R): R {
  return context.run(call, fn)
}

/** Where a session reads its calls. */
export type CallPlace = Place<Call>

/** The flow as it is here, for {@link readingCalls}. */
export function callPlace(): CallPlace {
  return context.place()
}

// Where the session that is being read reads its calls, for as long as nothing has led away from there.
let here: CallPlace | undefined

/** Reads calls: those that are run directly meanwhile are run from this place. */
export function readingCalls<T>(place: CallPlace, read: (chunk: T) => void, chunk: T): void {
  const before = here
  here = place
  try {
    read(chunk)
  } finally {
    here = before
  }
}

/**
 * As {@link runInCall}, for who is called directly by whoever reads calls: with no layer between that could have run it in
 * another flow, which would be lost. A third of the price.
 */
export function runDirectlyInCall<R>(
  call: Call,
  fn: (...args: readonly unknown[]) => R,
  args: readonly unknown[],
): R {
  const place = here
  if (place === undefined) return context.run(call, () => fn(...args))
  // Inside it is another flow.
  here = undefined
  try {
    return place.run(call, fn, args)
  } finally {
    here = place
  }
}

/** Runs a function that belongs to no call, for work that should outlive the one that started it. */
export function detached<R>(fn: () => R): R {
  return context.get() === undefined ? fn() : context.run(undefined, fn)
}

/**
 * Captures the flow of control as it is here, or inside of a call: what is run by the result belongs to that call, and
 * finds whatever else follows the flow, such as an AsyncLocalStorage of a user's.
 */
export function captureFlow(call?: Call): Snapshot {
  return call === undefined ? snapshot() : context.run(call, snapshot)
}
