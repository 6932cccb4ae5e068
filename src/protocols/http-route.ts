import type { Handler } from '../core/layer.ts'
import type { Metadata } from '../core/metadata.ts'
import type { Peer } from '../core/peer.ts'
import type { Room } from './protocol.ts'

/** The fields of a message head. Names are in lower case; a field that came several times is joined with `, `. */
export interface HttpFields extends Iterable<readonly [string, string]> {
  get(name: string): string | undefined
  has(name: string): boolean
}

/** A request that has arrived as a whole. */
export interface HttpRequest {
  /** In upper case: `GET`. */
  readonly method: string
  /** What stands before the `?`, decoded: begins with a slash, has no empty, `.` or `..` part and no other slash. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: HttpFields
  readonly body: Uint8Array
  readonly peer: Peer
  /** The `Host` field; empty where an HTTP/1.0 client sent none. */
  readonly host: string
  /**
   * What the caller sends along, a token among it, as with a call; made anew each time it is asked for. Undefined where
   * that is nothing.
   * @throws RpcError for what metadata cannot be, or is not allowed to.
   */
  readonly metadata?: Metadata | undefined
  /** Clock, limits and codecs of the server, for a route that makes calls. */
  readonly room: Room
  /** Aborted when the connection is lost before the answer has gone out. */
  readonly signal: AbortSignal
}

export interface HttpResponse {
  readonly status: number
  /** Names in lower case; `content-length`, `transfer-encoding` and `connection` are set by the session. */
  readonly headers?: Readonly<Record<string, string>>
  /** Whole, or in pieces: those are asked for no faster than the peer takes them. */
  readonly body?: string | Uint8Array | AsyncIterable<string | Uint8Array>
}

/**
 * How pages and the HTTP faces of registries hang on the `http` protocol. It answers a request, with what it knows or by
 * calls of the server's `handler`; undefined means that the request is not its own, and the next route is asked. Routes
 * are asked before a path is taken for the name of a method. What it throws is answered as an error; nothing of the
 * message of what is no RpcError.
 *
 * Only requests with an allowed `Host` and `Origin` get to a route, so that no page of another site can use a browser
 * to reach it; `open` is for what anybody may see and do, or what checks that by itself.
 */
export interface HttpRoute {
  (request: HttpRequest, handler: Handler): HttpResponse | Promise<HttpResponse> | undefined
  readonly open?: boolean
  /** The paths that it answers, for the list that a caller of an unknown path is given. */
  readonly paths?: readonly string[]
}
