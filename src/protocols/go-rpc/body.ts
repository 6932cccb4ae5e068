import type { Call } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import { isStream } from '../../core/stream.ts'

/**
 * The one value that a Go method takes, of the arguments of a call: the only one, or an object of those by name; several
 * become an object where a contract declares their names. undefined for none.
 * @throws RpcError `invalid_argument` for several without names, `unimplemented` for streams.
 */
export function bodyOf(call: Call, params: readonly string[] | undefined, protocol: string): unknown {
  const { list, named } = call.args
  if (list.some(isStream) || (named !== undefined && [...named.values()].some(isStream)))
    throw new RpcError('unimplemented', `the protocol '${protocol}' cannot carry streams`)
  if (named === undefined || named.size === 0) {
    if (list.length <= 1) return list[0]
  } else if (list.length === 0) return Object.fromEntries(named)
  if (params !== undefined && list.length <= params.length)
    return Object.fromEntries([
      ...list.map((value, at) => [params[at] as string, value] as const),
      ...(named ?? []),
    ])
  throw new RpcError(
    'invalid_argument',
    `${call.name}: a Go method takes one argument; give one object, or arguments by name, or a contract that declares the names (params)`,
  )
}
