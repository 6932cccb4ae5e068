import type { Call } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { isStream } from '../../core/stream.ts'
import { writeJson } from '../json-head/write-json.ts'
import type { JsonRpcVersion } from './request.ts'

export interface RequestWriting {
  readonly version: JsonRpcVersion
  readonly limits: Limits
  /** The names of the parameters, where they are known: 1.0 needs them to send several as one. */
  readonly params: readonly string[] | undefined
}

/**
 * Writes a request; one that nobody waits for has no id. The id comes first, so that a peer that cannot take the
 * message can still say whose it is.
 * @throws RpcError for what cannot travel or is too large; nothing of it was then sent.
 */
export function writeRequest(call: Call, id: number, writing: RequestWriting): string {
  const { version, limits } = writing
  const { list, named } = call.args
  if (list.some(isStream) || (named !== undefined && [...named.values()].some(isStream)))
    throw new RpcError('unimplemented', "the protocol 'json-rpc' cannot carry streams")
  const params = version === '2.0' ? paramsOf2(call) : paramsOf1(call, writing.params)
  const options = {
    style: 'compact',
    maxLength: limits.maxMessageBytes,
    maxDepth: limits.maxDepth + 2,
  } as const
  if (version === '2.0') {
    const head = call.oneway ? { jsonrpc: '2.0' } : { jsonrpc: '2.0', id }
    return writeJson({ ...head, method: call.name, params }, options)
  }
  return writeJson({ id: call.oneway ? null : id, method: call.name, params }, options)
}

function paramsOf2({ name, args: { list, named } }: Call): unknown {
  if (named === undefined || named.size === 0) return list
  if (list.length === 0) return named
  throw new RpcError(
    'invalid_argument',
    `${name}: JSON-RPC takes arguments by position or by name, not both; give all of them by name`,
  )
}

// Go's server drops what comes after the first element, without a word.
function paramsOf1({ name, args: { list, named } }: Call, params: readonly string[] | undefined): unknown[] {
  if (named !== undefined && named.size > 0) {
    if (list.length === 0) return [named]
  } else if (list.length <= 1) return [...list]
  if (params !== undefined && list.length <= params.length) {
    const message = new Map(list.map((value, at) => [params[at] as string, value]))
    for (const [key, value] of named ?? []) message.set(key, value)
    return [message]
  }
  throw new RpcError(
    'invalid_argument',
    `${name}: JSON-RPC 1.0 sends one argument; give one object, or arguments by name, or a contract that declares the names`,
  )
}
