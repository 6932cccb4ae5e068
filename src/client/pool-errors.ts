import { isNotExecuted, markNotExecuted, RpcError } from '../core/error.ts'

// Why a pool turns calls away. All of them say which endpoint it is, and that nothing was sent.

/** The pool was closed. */
export function closedError(name: string): RpcError {
  return unavailable(`${name} is closed: the client was closed`)
}

/** The same reason for calls that are in flight: what holds for one that was never sent must not be said of them. */
export function executedOrNot(reason: RpcError): RpcError {
  if (!isNotExecuted(reason)) return reason
  return new RpcError(reason.code, reason.message, { cause: reason })
}

/** The endpoint is being left. */
export function drainingError(name: string): RpcError {
  return unavailable(`${name} is being drained and takes no more calls`)
}

/** It could not be connected, and it is too early to try again. */
export function failingError(name: string, cause: RpcError | undefined, retryMs: number): RpcError {
  const message = `${cause?.message ?? `${name} cannot be reached`} (next attempt in ${Math.max(0, Math.round(retryMs))} ms)`
  return markNotExecuted(
    new RpcError(cause?.code ?? 'unavailable', message, { cause, phase: cause?.phase ?? 'connect' }),
  )
}

/** More calls wait than may. */
export function fullError(name: string, limit: number): RpcError {
  return markNotExecuted(
    new RpcError(
      'resource_exhausted',
      `${name}: ${limit} calls wait for a connection already (limits.maxPendingCalls)`,
    ),
  )
}

/**
 * A connection that ends sooner than this, in milliseconds, was no success: otherwise a server that accepts and hangs up
 * would be dialled without a pause.
 */
export const shortLifeMs = 1_000

/** A connection was closed almost as soon as it was made. */
export function shortLived(name: string, cause: RpcError | undefined): RpcError {
  return unavailable(
    `${name}: the connection was closed at once${cause === undefined ? '' : `: ${cause.message}`}`,
    cause,
  )
}

function unavailable(message: string, cause?: RpcError): RpcError {
  return markNotExecuted(new RpcError('unavailable', message, { cause, phase: 'connect' }))
}
