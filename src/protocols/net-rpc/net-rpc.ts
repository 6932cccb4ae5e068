import {
  acceptGo,
  type Dialect,
  dialGo,
  goCapabilities,
  gobCodecWith,
  requestType,
  resolveConnectPath,
  responseType,
} from '../go-rpc/index.ts'
import type { Protocol } from '../protocol.ts'
import { detectNetRpc } from './detect.ts'

export interface NetRpcOptions {
  /**
   * The path of an HTTP CONNECT that a client sends first, `/_goRPC_` for true (Go's `rpc.DialHTTP`). Default false. A
   * server takes both. With a path it is named `net-rpc-http`, so that both can be among the protocols of one client.
   */
  readonly http?: string | boolean
}

const dialect: Dialect = { name: 'net-rpc', firstSeq: 0, prefix: 'rpc', names: 'whole', losesPlace: false }
const requests = gobCodecWith(requestType)
const responses = gobCodecWith(responseType)

/**
 * Go's `net/rpc`, in gob: its clients call us, and we call its servers. See SPEC.md.
 * @throws RpcError `invalid_argument` for something that is no path.
 */
export function createNetRpcProtocol({ http = false }: NetRpcOptions = {}): Protocol {
  const connectPath = resolveConnectPath(http, '/_goRPC_')
  return {
    name: connectPath === undefined ? 'net-rpc' : 'net-rpc-http',
    // One server side answers both, and only one detector may say so.
    ...(connectPath === undefined && { detect: detectNetRpc }),
    can: goCapabilities,
    accept: (wire, handler, room) =>
      acceptGo({
        wire,
        handler,
        room,
        dialect,
        begin: { codec: responses.open(room.limits), handleTimeoutNs: 0 },
      }),
    dial: (wire, room) => dialGo({ wire, room, dialect, codec: requests.open(room.limits), connectPath }),
  }
}

/** Go's `net/rpc`, over a plain connection. */
export const netRpcProtocol: Protocol = createNetRpcProtocol()
