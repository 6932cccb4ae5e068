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
