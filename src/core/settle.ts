import type { Call } from './call.ts'
import type { RpcError } from './error.ts'
import { isNotExecuted } from './error.ts'
import type { Reply } from './layer.ts'

/**
 * Ends a call with an error, for whoever carries it out and is asked for its reply. Gives what a layer put in the
 * place of the failed attempt, if one did.
 * @throws the error, otherwise.
 */
export function fail(call: Call, error: RpcError): Reply | PromiseLike<Reply> {
  call.end(error, isNotExecuted(error))
  if (call.replacement !== undefined) return call.replacement
  throw error
}

/**
 * Turns away a call that was not begun, on either side: for a layer or pool that answers it and does not pass it on.
 * A caller's call ends here; one that is being served is ended by the session that made it.
 * @throws the error, unless a layer put another attempt in its place.
 */
export function refuse(
  call: Call,
  error: RpcError,
  notExecuted: boolean = isNotExecuted(error),
): Reply | PromiseLike<Reply> {
  if (call.phase === 'read' || call.phase === 'handle' || call.phase === 'write') throw error
  call.end(error, notExecuted)
  if (call.replacement !== undefined) return call.replacement
  throw error
}
