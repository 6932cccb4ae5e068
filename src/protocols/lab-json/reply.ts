import { isErrorCode } from '../../core/code.ts'
import { markNotExecuted, remoteError, RpcError } from '../../core/error.ts'
import { isJsonObject, member } from '../json-head/read-json.ts'
import { writeJson } from '../json-head/write-json.ts'
import type { LabWriting } from './request.ts'

/** @throws RpcError for a value that cannot travel or is too large. */
export function writeResult(value: unknown, { maxMessageBytes, maxDepth }: LabWriting): string {
  const res = value === undefined ? null : value
  return writeJson({ res }, { style: 'python', maxLength: maxMessageBytes, maxDepth: maxDepth + 1 })
}

/**
 * The message of an error, where a result would be: the peers know no other reply. Beside it stands what they do not
 * look at and our own client does.
 */
export function writeError(error: RpcError, notExecuted: boolean, writing: LabWriting): string {
  const { code, message, reason, details } = error
  const mark = { code, reason, ...(notExecuted && { notExecuted }) }
  const write = (value: unknown) =>
    writeJson(value, { style: 'python', maxLength: writing.maxMessageBytes, maxDepth: writing.maxDepth + 2 })
  try {
    return write({ res: message, error: { ...mark, details } })
  } catch {
    // The details cannot travel; the message always can, unless it is enormous.
    return write({ res: message.slice(0, 10_000), error: mark })
  }
}

/**
 * What a reply says: any `res` is a result, for the peers have no other way to answer; unless our own mark says that
 * it is the message of an error.
 * @throws the RpcError that the callee answered with, or one that says that this is no reply.
 */
export function readReply(value: unknown): unknown {
  if (!isJsonObject(value)) throw new RpcError('internal', 'the answer is no JSON object')
  const error = member(value, 'error')
  if (Object.hasOwn(value, 'res')) {
    const result = value['res']
    if (!isJsonObject(error) || !isErrorCode(member(error, 'code'))) return result
    throw markedError(result, error)
  }
  if (error === undefined || error === null)
    throw new RpcError('internal', "the answer has neither 'res' nor 'error'")
  throw remoteError('unknown', shownError(error), { phase: 'receive' })
}

function markedError(message: unknown, mark: Readonly<Record<string, unknown>>): RpcError {
  const reason = member(mark, 'reason')
  const error = remoteError(member(mark, 'code'), String(message), {
    phase: 'receive',
    reason: typeof reason === 'string' ? reason : undefined,
    details: member(mark, 'details'),
  })
  return member(mark, 'notExecuted') === true ? markNotExecuted(error) : error
}

function shownError(error: unknown): string {
  if (typeof error === 'string') return error
  const message = isJsonObject(error) ? member(error, 'message') : undefined
  if (typeof message === 'string') return message
  return writeJson(error, { style: 'compact', maxLength: Number.POSITIVE_INFINITY, maxDepth: 1000 })
}
