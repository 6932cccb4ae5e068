import type { HttpServeOptions } from '../node.ts'
import type { ResolvedSettings } from './settings/resolve.ts'
import { textOf, textsOf } from './settings/typed.ts'

/** What is set of HTTP on the port of a server or registry. */
export function httpOf(settings: ResolvedSettings): HttpServeOptions {
  return {
    hosts: textsOf(settings, 'httpHosts'),
    origins: textsOf(settings, 'httpOrigins'),
    debugToken: textOf(settings, 'debugToken'),
  }
}
