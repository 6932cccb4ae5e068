import { RpcError } from '../node.ts'

/** What the user typed, or wrote into a file, makes no sense. The command ends with code 2. */
export class UsageError extends Error {
  /** What to do about it. */
  readonly next: string | undefined

  constructor(message: string, next?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'UsageError'
    this.next = next
  }
}

/**
 * Does what takes its arguments from the user: what is wrong with them is the user's to put right. Only for what asks
 * nobody else: an argument that a server refuses is no mistake on the command line.
 * @throws UsageError in the place of an RpcError `invalid_argument`.
 */
export function fromUser<T>(make: () => T): T {
  try {
    return make()
  } catch (thrown) {
    throw asUsage(thrown)
  }
}

/** The same for what is wrong with the arguments of something asynchronous: for its `catch`. */
export function refuseUsage(thrown: unknown): never {
  throw asUsage(thrown)
}

function asUsage(thrown: unknown): unknown {
  if (!RpcError.is(thrown) || thrown.code !== 'invalid_argument') return thrown
  return new UsageError(thrown.message, undefined, thrown)
}
