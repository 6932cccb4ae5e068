import { RpcError } from '../../core/error.ts'
import { detectJsonKey } from '../json-head/keys.ts'
import type { Protocol } from '../protocol.ts'
import { dialJsonRpc } from './client.ts'
import type { JsonRpcVersion } from './request.ts'
import { acceptJsonRpc } from './server.ts'

export interface JsonRpcOptions {
  /** What a client speaks; a server understands both. Default `2.0`; `1.0` is that of Go's net/rpc/jsonrpc. */
  readonly version?: JsonRpcVersion
}

/**
 * JSON-RPC over a byte stream: 2.0 with batches and notifications, and the 1.0 of Go's net/rpc/jsonrpc. See SPEC.md.
 * With version 1.0 it is named `json-rpc-1`, so that both can be among the protocols of one client.
 * @throws RpcError `invalid_argument` for an unknown version.
 */
export function createJsonRpcProtocol({ version = '2.0' }: JsonRpcOptions = {}): Protocol {
  if (version !== '2.0' && version !== '1.0')
    throw new RpcError(
      'invalid_argument',
      `JSON-RPC ${String(version)} is unknown; there are '2.0' and '1.0'`,
    )
  const first = version === '1.0'
  return {
    name: first ? 'json-rpc-1' : 'json-rpc',
    // One server side answers both versions, and only one detector may say so.
    ...(!first && { detect: detectJsonKey('method', { batch: true }) }),
    can: { streams: false, metadata: false, cancel: false, deadline: false, calls: 'many' },
    accept: acceptJsonRpc,
    dial: (wire, room) => dialJsonRpc(wire, room, version),
  }
}

/** JSON-RPC, as a client 2.0. */
export const jsonRpcProtocol: Protocol = createJsonRpcProtocol()
