import type { Call } from '../core/call.ts'

/**
 * Puts off the deadline that a call has for want of another, where the protocol agrees on a time with its peer: the
 * peer then says when it is over. The default remains for the way there and back; no time at all is no deadline. A
 * deadline that somebody gave (the caller, the client's options, a layer, the call that makes this one) holds.
 */
export function liftDefault(
  call: Call,
  defaultTimeoutMs: number | undefined,
  { handleTimeoutMs }: { readonly handleTimeoutMs?: number },
): void {
  if (handleTimeoutMs === undefined || defaultTimeoutMs === undefined) return
  let made = call
  while (made.origin !== undefined) made = made.origin
  // Whoever gave another has changed it; the sum is that of the caller, digit by digit.
  if (call.deadline !== made.startedAt + defaultTimeoutMs) return
  call.liftDeadline(
    handleTimeoutMs === 0 ? Number.POSITIVE_INFINITY : call.clock.now() + handleTimeoutMs + defaultTimeoutMs,
  )
}
