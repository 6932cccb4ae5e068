import type { Arguments } from '../core/call.ts'
import { RpcError } from '../core/error.ts'
import { isStream } from '../core/stream.ts'

/**
 * What a caller passed, as the arguments of a call.
 * @throws RpcError `invalid_argument` where the form does not fit: more than one stream, or no object after `$named`.
 */
export function callArguments(name: string, list: readonly unknown[], named: boolean): Arguments {
  const args = named ? byName(name, list) : { list }
  const streams = named
    ? countStreams((args.named as ReadonlyMap<string, unknown>).values())
    : countStreams(list)
  if (streams > 1) {
    throw new RpcError(
      'invalid_argument',
      `${name}: ${streams} arguments are streams, at most one can be; a reply that was not awaited counts as one`,
    )
  }
  return args
}

function byName(name: string, list: readonly unknown[]): Arguments {
  const [given] = list
  if (list.length !== 1 || typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new RpcError(
      'invalid_argument',
      `${name}: $named takes one object that holds the arguments by name, as { a: 1, b: 2 }`,
    )
  }
  return {
    list: [],
    named: given instanceof Map ? (given as Map<string, unknown>) : new Map(Object.entries(given)),
  }
}

function countStreams(values: Iterable<unknown>): number {
  let streams = 0
  for (const value of values) if (isStream(value)) streams++
  return streams
}
