import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { writeJson } from '../json-head/write-json.ts'
import { bareErrorMember, errorMember } from './errors.ts'
import type { Addressee } from './request.ts'

/** @throws RpcError for a value that cannot travel or is too large. */
export function writeResult(to: Addressee, value: unknown, limits: Limits): string {
  const result = write(value, limits)
  return to.version === '2.0'
    ? `{"jsonrpc":"2.0","id":${writeId(to.id, limits)},"result":${result}}`
    : `{"id":${writeId(to.id, limits)},"result":${result},"error":null}`
}

/** `number`: the code of the error, where it is not that of our own code. */
export function writeError(
  to: Addressee,
  error: RpcError,
  { limits, number }: { readonly limits: Limits; readonly number?: number | undefined },
): string {
  const id = writeId(to.id, limits)
  if (to.version === '1.0')
    return `{"id":${id},"result":null,"error":${JSON.stringify(error.message.slice(0, 10_000))}}`
  return `{"jsonrpc":"2.0","id":${id},"error":${writeMember(error, number, limits)}}`
}

function writeMember(error: RpcError, number: number | undefined, limits: Limits): string {
  try {
    return write(errorMember(error, number), limits, 2)
  } catch {
    // The details cannot travel.
    return write(bareErrorMember(error, number), limits, 2)
  }
}

function write(value: unknown, { maxMessageBytes, maxDepth }: Limits, more = 0): string {
  return writeJson(value, { style: 'compact', maxLength: maxMessageBytes, maxDepth: maxDepth + more })
}

// It came from the peer, within the limits of a message.
function writeId(id: unknown, limits: Limits): string {
  return id === undefined ? 'null' : write(id, limits, 3)
}

/** What the caller is told where a result cannot be sent. */
export function unsendableResult(name: string, thrown: unknown): RpcError {
  const { code, message } = RpcError.from(thrown)
  return new RpcError(
    code === 'invalid_argument' ? 'internal' : code,
    `the result of ${name} cannot be sent: ${message}`,
    { cause: thrown, phase: 'write' },
  )
}
