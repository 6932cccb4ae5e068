import { RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import type { Metadata } from '../../core/metadata.ts'
import type { Peer } from '../../core/peer.ts'
import { readJson } from '../json-head/read-json.ts'
import { JsonSplitter } from '../json-head/splitter.ts'
import type { Room } from '../protocol.ts'
import { Requests } from './requests.ts'

/** An answer under way. */
export interface JsonRpcAnswer {
  /** The text of the answer; undefined where there were only notifications, which get none. Never rejects. */
  readonly text: Promise<string | undefined>
  /** Nobody waits for it any more. */
  cancel(reason: RpcError): void
}

/** What a message came with. */
export interface JsonRpcAround {
  readonly room: Room
  readonly peer?: Peer
  /** That of each call in it, as a token. Default: none, for JSON-RPC itself cannot carry any. */
  readonly metadata?: Metadata | undefined
}

/** Answers one message (a request or a batch) that came as a whole, as the body of an HTTP request does. */
export function answerJsonRpc(body: Uint8Array, handler: Handler, around: JsonRpcAround): JsonRpcAnswer {
  const { room, peer, metadata } = around
  const requests = new Requests({ room, handler, peer, metadata })
  const text = new Promise<string | undefined>((resolve) => {
    try {
      if (!requests.take(readWhole(body, room), resolve)) resolve(undefined)
    } catch (thrown) {
      requests.refuse(RpcError.from(thrown, 'invalid_argument'), resolve)
    }
  })
  return { text, cancel: (reason) => requests.cancelAll(reason) }
}

function readWhole(body: Uint8Array, { limits }: Room): unknown {
  const values: unknown[] = []
  const bounds = { maxBytes: limits.maxMessageBytes, maxDepth: limits.maxDepth + 3, lists: true }
  const splitter = new JsonSplitter(bounds, (bytes, range, problem) => {
    if (problem !== undefined) throw problem
    values.push(readJson(bytes, range))
  })
  splitter.push(body)
  if (values.length === 1 && !splitter.partial) return values[0]
  throw new RpcError('invalid_argument', 'there should be one JSON value, complete, and nothing after it')
}
