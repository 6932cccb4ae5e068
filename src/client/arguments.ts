import type { Arguments } from '../core/call.ts'
import { RpcError } from '../core/error.ts'
import { inThisFlow } from '../core/flow.ts'
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
  return streams === 0 ? args : withFlow(args)
}

// The stream is the caller's code, and goes on in the caller's flow wherever its items are asked for.
function withFlow({ list, named }: Arguments): Arguments {
  const carry = (value: unknown) => (isStream(value) ? inThisFlow(value) : value)
  if (named === undefined) return { list: list.map(carry) }
  return { list, named: new Map([...named].map(([name, value]) => [name, carry(value)])) }
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
