import type { HttpRoute } from '../http-route.ts'
import { goConnectPaths } from './connect-unwrap.ts'

/** Answers any other method on the paths of CONNECT, as the Go servers do: 405, `405 must CONNECT`. */
export function goConnectRoute(paths: Readonly<Record<string, string>> = goConnectPaths): HttpRoute {
  const known = new Set(Object.keys(paths))
  const route: HttpRoute = ({ path }) => {
    if (!known.has(path)) return undefined
    const headers = { 'content-type': 'text/plain; charset=utf-8' }
    return { status: 405, headers, body: '405 must CONNECT\n' }
  }
  return Object.assign(route, { open: true })
}
