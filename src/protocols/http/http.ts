import type { HttpRoute } from '../http-route.ts'
import type { Protocol } from '../protocol.ts'
import { dialHttp } from './client.ts'
import { detectHttp } from './detect.ts'
import { createOriginPolicy, type OriginOptions } from './origin.ts'
import { acceptHttp } from './server.ts'

/** What an HTTP server answers, and to whom. */
export interface HttpOptions extends OriginOptions {
  /** What is asked, in this order, before a path is taken for the name of a method. */
  readonly routes?: readonly HttpRoute[] | undefined
}

/**
 * HTTP/1.1 and 1.0: `POST /service/method` with JSON, and whatever hangs on it as routes. See SPEC.md.
 * @throws RpcError `invalid_argument` for a host or an origin that is none.
 */
export function createHttpProtocol(options: HttpOptions = {}): Protocol {
  const policy = createOriginPolicy(options)
  const routes = options.routes ?? []
  return {
    name: 'http',
    alpn: ['http/1.1'],
    detect: detectHttp,
    can: { streams: true, metadata: true, cancel: true, deadline: true, calls: 'one-at-a-time' },
    accept: (wire, handler, room) => acceptHttp({ wire, handler, room, routes, policy }),
    dial: dialHttp,
  }
}

/** HTTP without pages: calls alone. */
export const httpProtocol: Protocol = createHttpProtocol()
