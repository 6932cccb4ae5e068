import type { HttpResponse, HttpRoute } from '../../protocols/http-route.ts'
import type { ServerView } from './server-view.ts'

/**
 * `/healthz`: the process lives and answers. `/readyz`: it takes calls; 503 while it starts or drains, so that load
 * balancers look elsewhere. Anybody may ask: they tell nothing else.
 */
export function healthRoute(server: () => ServerView | undefined): HttpRoute {
  const route = ({ method, path }: { readonly method: string; readonly path: string }) => {
    if (path !== '/healthz' && path !== '/readyz') return undefined
    if (method !== 'GET' && method !== 'HEAD') return onlyRead()
    const state = server()?.state ?? 'starting'
    const well = path === '/healthz' ? state !== 'closed' : state === 'serving'
    return answer(well ? 200 : 503, state)
  }
  return Object.assign(route, { open: true, paths: ['/healthz', '/readyz'] })
}

/** What a request that would change something gets. */
export function onlyRead(): HttpResponse {
  return {
    status: 405,
    headers: { allow: 'GET, HEAD', 'content-type': 'application/json' },
    body: '{"code":"unimplemented","message":"this can only be read, by GET"}\n',
  }
}

function answer(status: number, state: string): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: `${JSON.stringify({ status: status === 200 ? 'ok' : 'unavailable', state })}\n`,
  }
}
