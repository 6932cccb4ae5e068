import { createContext, type Snapshot, snapshot } from '#platform'
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
