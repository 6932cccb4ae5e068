import type { Call } from '../core/call.ts'
import { type RpcError, saysUnknownService } from '../core/error.ts'
import { showName } from '../core/names.ts'
import { unknownMethodText, unknownServiceText } from '../core/router.ts'

/**
 * Whether an error says that the server which was called has no such service, so that another one may. The name is
 * compared too: what a handler passes on of a call of its own is about another service.
 */
export function lacksService(call: Call, error: RpcError): boolean {
  if (saysUnknownService(error)) return true
  if (error.code !== 'not_found') return false
  const text =
    call.service === ''
      ? unknownMethodText + showName(call.method)
      : unknownServiceText + showName(call.service)
  return error.message.startsWith(text)
}

/** Whether a call has failed on this side, since the protocol of whom it was given to has no way to say it. */
export function wasUnsayable(error: RpcError, notExecuted: boolean): boolean {
  const isOurs = error.phase === undefined || error.phase === 'send'
  return notExecuted && isOurs && (error.code === 'invalid_argument' || error.code === 'unimplemented')
}
