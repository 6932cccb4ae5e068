import type { Call } from './call.ts'
import { isNotExecuted, RpcError } from './error.ts'
import type { Method } from './method.ts'
import { type Random, randomId } from './random.ts'
import { validateDetails } from './validate.ts'

/** Where what a method threw without meaning to tell the caller goes. */
export interface ErrorRoom {
  readonly random: Random
  /** Gets the original, and the id that the caller is told. */
  readonly onInternalError: (thrown: unknown, call: Call, id: string) => void
  /** Whether the message of what a method threw without meaning to tell reaches the caller all the same. Default no. */
  readonly exposeExceptions?: boolean
}

/**
 * What a caller may see of what a method threw. An RpcError was meant for the caller and passes; giving up because the
 * call was cancelled is that cancelling; anything else stays here, and the caller gets `internal` with an id to ask by.
 * It is a promise only where the details of a declared error have an asynchronous schema.
 */
export function toReplyError(
  thrown: unknown,
  call: Call,
  method: Method,
  room: ErrorRoom,
): RpcError | Promise<RpcError> {
  if (call.cancelled !== undefined && thrown === call.cancelled) return call.cancelled
  if (RpcError.is(thrown)) return checkDeclared(thrown, call, method, room)
  if (call.cancelled !== undefined && isAbort(thrown)) return call.cancelled
  return internalError(thrown, call, room)
}

function checkDeclared(
  error: RpcError,
  call: Call,
  method: Method,
  room: ErrorRoom,
): RpcError | Promise<RpcError> {
  const { reason } = error
  const declared = reason === undefined ? undefined : method.errors?.get(reason)
  if (declared === undefined || reason === undefined) return passOn(error, error.details)
  if (declared.code !== error.code) {
    const why = `${method.fullName}: error '${reason}' is declared as ${declared.code} but was thrown as ${error.code}`
    return internalError(new TypeError(why, { cause: error }), call, room)
  }
  try {
    const details = validateDetails(method, reason, error.details)
    if (!(details instanceof Promise)) return passOn(error, details)
    return details.then(
      (checked) => passOn(error, checked),
      (thrown: unknown) => internalError(thrown, call, room),
    )
  } catch (thrown) {
    return internalError(thrown, call, room)
  }
}

// That a call of the handler's own was not executed says nothing of the handler, which was: the mark stays here.
function passOn(error: RpcError, details: unknown): RpcError {
  if (!isNotExecuted(error) && details === error.details) return error
  const { code, message, reason, metadata, cause, stack } = error
  const passed = new RpcError(code, message, { details, reason, metadata, cause })
  if (stack !== undefined) passed.stack = stack
  return passed
}

function internalError(thrown: unknown, call: Call, room: ErrorRoom): RpcError {
  const id = randomId(room.random)
  room.onInternalError(thrown, call, id)
  const message = room.exposeExceptions === true ? RpcError.from(thrown).message : `internal error (id ${id})`
  return new RpcError('internal', message, { cause: thrown })
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === 'AbortError' || thrown.name === 'TimeoutError')
}
