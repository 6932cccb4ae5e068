import type { Detect } from '../../core/detect.ts'
import { verbs } from './request-head.ts'

const slash = 0x2f
const star = 0x2a
const beginnings = verbs.map((verb) => new TextEncoder().encode(`${verb} `))

/**
 * A verb and a path. CONNECT is not among the verbs: on the paths of the Go peers it belongs to their protocols, and
 * nothing else here can be connected to; nor is HTTP/2's `PRI`.
 */
export const detectHttp: Detect = (head) => {
  let more = false
  for (const beginning of beginnings) {
    const known = Math.min(head.length, beginning.length)
    let at = 0
    while (at < known && head[at] === beginning[at]) at++
    if (at < known) continue
    if (head.length <= beginning.length) more = true
    else if (head[at] === slash || (head[at] === star && beginning[0] === 0x4f)) return 'yes'
    else return 'no'
  }
  return more ? 'more' : 'no'
}
