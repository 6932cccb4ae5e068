import { RpcError } from '../../core/error.ts'
import type { HttpRequest, HttpResponse, HttpRoute } from '../http-route.ts'
import type { Handler } from '../../core/layer.ts'
import { answerJsonRpc } from './answer.ts'

const types: ReadonlySet<string> = new Set([
  'application/json',
  'application/json-rpc',
  'application/jsonrequest',
])

export interface JsonRpcRouteOptions {
  /** Where it answers. Default `/rpc`. */
  readonly path?: string
}

/**
 * JSON-RPC as a route of the `http` protocol: POST a request or a batch as `application/json`, and the answer is the body
 * of the response, with status 200 also for errors, as JSON-RPC has its own; 204 where nothing is to be answered.
 */
export function jsonRpcRoute({ path = '/rpc' }: JsonRpcRouteOptions = {}): HttpRoute {
  const route: HttpRoute = (request, handler) =>
    request.path === path ? answer(request, handler) : undefined
  return Object.assign(route, { paths: [path] })
}

function answer(request: HttpRequest, handler: Handler): HttpResponse | Promise<HttpResponse> {
  if (request.method !== 'POST')
    return refusal(405, `POST JSON-RPC requests to ${request.path}`, { allow: 'POST' })
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type === undefined || !types.has(type))
    return refusal(415, `JSON-RPC needs content-type: application/json, not ${type ?? 'none'}`)
  return respond(request, handler)
}

async function respond(request: HttpRequest, handler: Handler): Promise<HttpResponse> {
  const { body, room, peer, metadata, signal } = request
  const { text, cancel } = answerJsonRpc(body, handler, { room, peer, metadata })
  const stop = () =>
    cancel(new RpcError('cancelled', 'the connection to the caller was lost', { phase: 'write' }))
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  const answered = await text
  signal.removeEventListener('abort', stop)
  if (answered === undefined) return { status: 204 }
  return { status: 200, headers: { 'content-type': 'application/json' }, body: answered }
}

function refusal(status: number, why: string, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return { status, headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' }, body: `${why}\n` }
}
