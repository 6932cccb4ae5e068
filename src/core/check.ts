import { RpcError } from './error.ts'
import { showName } from './names.ts'

/** The error about a name that is none of those that there are; `what` says what it was meant for. */
export function unknownName(what: string, name: string, known: Iterable<string>): RpcError {
  return new RpcError(
    'invalid_argument',
    `unknown ${what} ${showName(name)}; known: ${[...known].join(', ')}`,
  )
}

/** @throws RpcError `invalid_argument` for the first property of an object that is none of those that there are. */
export function checkKeys(what: string, given: object, known: ReadonlySet<string>): void {
  for (const name of Object.keys(given)) if (!known.has(name)) throw unknownName(what, name, known)
}

/** Gives the number back. @throws RpcError `invalid_argument` for what is no number above 0. */
export function positive(name: string, value: unknown): number {
  if (typeof value === 'number' && value > 0) return value
  throw new RpcError('invalid_argument', `${name} must be a positive number, got ${String(value)}`)
}
