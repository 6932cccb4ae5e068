import { type ErrorCode, isErrorCode } from '../../core/code.ts'
import {
  isNotExecuted,
  markNotExecuted,
  markUnknownService,
  remoteError,
  RpcError,
} from '../../core/error.ts'
import { isJsonObject, member } from '../json-head/read-json.ts'

/** The codes that JSON-RPC 2.0 itself defines. */
export const standardCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
} as const

/**
 * The number of each of our codes: JSON-RPC's own where it has one, else -32000 less gRPC's number, which is in the
 * range that it leaves to servers.
 */
export const codeNumbers: Readonly<Record<ErrorCode, number>> = {
  cancelled: -32001,
  unknown: -32002,
  invalid_argument: standardCodes.invalidParams,
  deadline_exceeded: -32004,
  not_found: -32005,
  already_exists: -32006,
  permission_denied: -32007,
  resource_exhausted: -32008,
  failed_precondition: -32009,
  aborted: -32010,
  out_of_range: -32011,
  unimplemented: -32012,
  internal: standardCodes.internalError,
  unavailable: -32014,
  data_loss: -32015,
  unauthenticated: -32016,
}

const ownCodes: ReadonlyMap<unknown, ErrorCode> = new Map<unknown, ErrorCode>([
  // Whoever could not read us was sent something wrong by this side, not by the caller.
  [standardCodes.parseError, 'internal'],
  [standardCodes.invalidRequest, 'internal'],
  [standardCodes.methodNotFound, 'not_found'],
  [standardCodes.invalidParams, 'invalid_argument'],
  [standardCodes.internalError, 'internal'],
])

/** The `error` of a 2.0 response. `number`: instead of that of its code. */
export function errorMember(error: RpcError, number: number = codeNumbers[error.code]): object {
  const { code, message, reason, details } = error
  return {
    code: number,
    message,
    data: { code, reason, details, ...(isNotExecuted(error) && { notExecuted: true }) },
  }
}

/** The same without what may not be sendable. */
export function bareErrorMember({ code, message }: RpcError, number: number = codeNumbers[code]): object {
  return { code: number, message: message.slice(0, 10_000), data: { code } }
}

/** What a peer says with the `error` of a response, of either version. */
export function readErrorMember(error: unknown): RpcError {
  if (typeof error === 'string') return errorOfText(error)
  if (!isJsonObject(error)) return remoteError('unknown', JSON.stringify(error), { phase: 'receive' })
  const number = member(error, 'code')
  const said = member(error, 'message')
  const message = typeof said === 'string' ? said : `error ${String(number)}`
  const data = member(error, 'data')
  if (isJsonObject(data) && isErrorCode(member(data, 'code'))) return ownError(message, data)
  const code = ownCodes.get(number)
  const details = code === undefined ? { code: number, data } : data
  return remoteError(code ?? 'unknown', message, { phase: 'receive', details })
}

// `data` as we write it: with it an error arrives as it was thrown.
function ownError(message: string, data: Readonly<Record<string, unknown>>): RpcError {
  const reason = member(data, 'reason')
  const error = remoteError(member(data, 'code'), message, {
    phase: 'receive',
    reason: typeof reason === 'string' ? reason : undefined,
    details: member(data, 'details'),
  })
  return member(data, 'notExecuted') === true ? markNotExecuted(error) : error
}

// In 1.0 an error is a text.
function errorOfText(text: string): RpcError {
  const error = remoteError(codeOfText(text), text, { phase: 'receive' })
  return text.startsWith("rpc: can't find service ") ? markUnknownService(error) : error
}

// Those of Go's server.
function codeOfText(text: string): ErrorCode {
  if (/^rpc: can't find (service|method) /.test(text)) return 'not_found'
  if (text.startsWith('rpc: service/method request ill-formed')) return 'invalid_argument'
  return 'unknown'
}

/** An error with the number that JSON-RPC has for it. */
export interface Refusal {
  readonly error: RpcError
  readonly number: number
}

/** A request that is JSON, but not a request. */
export function invalidRequest(why: string): Refusal {
  return {
    error: new RpcError('invalid_argument', `invalid request: ${why}`),
    number: standardCodes.invalidRequest,
  }
}
