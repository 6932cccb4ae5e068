import type { MethodInfo } from '../../core/method-info.ts'
import type { HttpRequest, HttpResponse, HttpRoute } from '../../protocols/http-route.ts'
import type { Facts } from '../options.ts'
import { type Access, createAccess } from './access.ts'
import { healthRoute, onlyRead } from './health.ts'
import { formatMetrics, metricsType } from './metrics.ts'
import { pageHtml } from './page-html.ts'
import { pageScript } from './page-script.ts'
import { pageStyle } from './page-style.ts'
import { readReport } from './report.ts'
import type { Around, ProcessView, ServerView, ShownTypes } from './server-view.ts'

export interface DebugRoutesOptions {
  /** The server that is shown; undefined while it is being made. */
  readonly server: () => ServerView | undefined
  /** What opens the debug page and the metrics to other machines. Default: none, and this machine alone sees them. */
  readonly debugToken?: string | undefined
  /** What the process says of itself. Default: nothing. */
  readonly readProcess?: (() => ProcessView) | undefined
  /** What the program says of itself. Default: nothing. */
  readonly facts?: (() => Facts) | undefined
  /** The types of a method, for people. Default: not known. */
  readonly typesOf?: ((info: MethodInfo) => ShownTypes | undefined) | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly wallClock?: (() => number) | undefined
}

// The last two are where the older Go systems look for their own.
const pagePaths = ['/debug/farcall', '/debug/myrpc', '/debug/geerpc']
const scriptPath = '/debug/farcall/page.js'
const stylePath = '/debug/farcall/page.css'

/**
 * The routes by which a server shows itself: `/debug/farcall` for people and as JSON, `/metrics` for Prometheus,
 * `/healthz` and `/readyz` for whoever sends it traffic.
 * @throws RpcError `invalid_argument` for a token that cannot be one.
 */
export function createDebugRoutes(options: DebugRoutesOptions): readonly HttpRoute[] {
  const access = createAccess(options.debugToken)
  return [healthRoute(options.server), debugRoute(options, access), metricsRoute(options, access)]
}

function look(options: DebugRoutesOptions): Around {
  const { readProcess, facts, typesOf = () => undefined, wallClock = Date.now } = options
  return { running: readProcess?.(), facts: facts?.() ?? {}, at: wallClock(), typesOf }
}

function debugRoute(options: DebugRoutesOptions, access: Access): HttpRoute {
  const route = (request: HttpRequest): HttpResponse | undefined => {
    const file = fileAt(request.path)
    if (file === undefined) return undefined
    if (request.method !== 'GET' && request.method !== 'HEAD') return onlyRead()
    // The page itself says nothing; what it shows it asks for, with the token.
    if (!wantsData(request)) return file
    const refused = access(request)
    if (refused !== undefined) return refused
    const view = options.server()
    return view === undefined ? starting() : json(readReport(view, look(options)))
  }
  return Object.assign(route, { paths: pagePaths.slice(0, 1) })
}

function metricsRoute(options: DebugRoutesOptions, access: Access): HttpRoute {
  const route = (request: HttpRequest): HttpResponse | undefined => {
    if (request.path !== '/metrics') return undefined
    if (request.method !== 'GET' && request.method !== 'HEAD') return onlyRead()
    const refused = access(request)
    if (refused !== undefined) return refused
    const view = options.server()
    if (view === undefined) return starting()
    return {
      status: 200,
      headers: { 'content-type': metricsType, 'cache-control': 'no-store' },
      body: formatMetrics(view, look(options)),
    }
  }
  return Object.assign(route, { paths: ['/metrics'] })
}

function wantsData({ path, query, headers }: HttpRequest): boolean {
  if (!pagePaths.includes(path)) return false
  if (query.get('format') === 'json') return true
  const accept = headers.get('accept') ?? ''
  return accept.includes('application/json') && !accept.includes('text/html')
}

function fileAt(path: string): HttpResponse | undefined {
  if (pagePaths.includes(path)) return file('text/html', pageHtml)
  if (path === scriptPath) return file('text/javascript', pageScript())
  if (path === stylePath) return file('text/css', pageStyle)
  return undefined
}

function file(type: string, body: string): HttpResponse {
  return {
    status: 200,
    headers: {
      'content-type': `${type}; charset=utf-8`,
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    },
    body,
  }
}

function json(value: unknown): HttpResponse {
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    },
    body: `${JSON.stringify(value)}\n`,
  }
}

function starting(): HttpResponse {
  return {
    status: 503,
    headers: { 'content-type': 'application/json' },
    body: '{"code":"unavailable","message":"the server is starting"}\n',
  }
}
