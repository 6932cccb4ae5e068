import { isErrorCode } from './code.ts'
import { RpcError, remoteError } from './error.ts'

/**
 * What of an Error travels where it is a value, an argument or part of a result: name, message and cause; of an
 * RpcError its code, reason and details, while its cause stays here, as its own contract says. Never the stack.
 */
export function errorFields(error: Error): [name: string, value: unknown][] {
  const fields: [string, unknown][] = [
    ['name', String(error.name)],
    ['message', String(error.message)],
  ]
  if (RpcError.is(error)) {
    fields.push(['code', error.code])
    if (error.reason !== undefined) fields.push(['reason', error.reason])
    if (error.details !== undefined) fields.push(['details', error.details])
  } else if (error.cause !== undefined) {
    fields.push(['cause', error.cause])
  }
  return fields
}

/**
 * Rebuilds an Error from fields that a peer sent: an RpcError where the code is one of ours. It has no stack, which
 * would show only the decoder. Fields that are not known are passed over.
 * @throws RpcError `invalid_argument` where a field is of the wrong type.
 */
export function errorFromFields(fields: Readonly<Record<string, unknown>>): Error {
  const field = (name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined)
  const name = text('name', field('name')) ?? 'Error'
  const message = text('message', field('message')) ?? ''
  const code = field('code')
  const error = isErrorCode(code)
    ? remoteError(code, message, { reason: text('reason', field('reason')), details: field('details') })
    : plainError(message, field('cause'))
  if (error.name !== name) {
    Object.defineProperty(error, 'name', { value: name, writable: true, configurable: true })
  }
  return error
}

function text(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw new RpcError('invalid_argument', `the ${name} of an error must be a string`)
}

function plainError(message: string, cause: unknown): Error {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return new Error(message, cause === undefined ? undefined : { cause })
  } finally {
    Error.stackTraceLimit = limit
  }
}
