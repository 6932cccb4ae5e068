import { RpcError } from '../../core/error.ts'
import type { Peer } from '../../core/peer.ts'
import { HttpProblem } from './problem.ts'
import type { RequestHead } from './request-head.ts'

/** Which browsers' pages may use a server, and under which names it may be reached. */
export interface OriginOptions {
  /**
   * Names that the server answers to, beside `localhost`, addresses and names without a dot, all of which no stranger
   * can point here: `math.example`, or `math.example:8089` with that port only; `*` for any, which lets a page of
   * another site reach a server that only the visitor's machine should (DNS rebinding).
   */
  readonly hosts?: readonly string[] | undefined
  /** Pages of other sites that may call, as `https://app.example`; `*` for any. Default: none. */
  readonly origins?: readonly string[] | undefined
}

/** What a server knows of the pages behind requests. */
export interface OriginPolicy {
  /** Why a request may not be answered; undefined where it may. */
  refuse(head: RequestHead, peer: Peer): HttpProblem | undefined
  /** The origin of a page of another site that may read the answer. */
  crossOrigin(head: RequestHead): string | undefined
}

/** @throws RpcError `invalid_argument` for an entry that is no host, or no origin. */
export function createOriginPolicy(options: OriginOptions = {}): OriginPolicy {
  const hosts = new Set((options.hosts ?? []).map(checkHost))
  const origins = new Set((options.origins ?? []).map(checkOrigin))
  const isAllowed = (origin: string) => origins.has('*') || origins.has(origin)

  function refuseHost(host: string, peer: Peer): HttpProblem | undefined {
    // No page can make a browser dial these.
    if (peer.transport === 'unix' || peer.transport === 'memory') return undefined
    const read = readHost(host)
    if (read === undefined) return new HttpProblem(400, "the field 'host' is no host and port")
    if (isBeyondStrangers(read.name)) return undefined
    if (hosts.has('*') || hosts.has(read.name) || hosts.has(`${read.name}:${read.port}`)) return undefined
    return new HttpProblem(
      421,
      `this server does not answer to the name '${read.name}'; if it should, serve with http: { hosts: ['${read.name}'] }, or --http-host ${read.name}`,
    )
  }

  function refuseOrigin(head: RequestHead, host: string, peer: Peer): HttpProblem | undefined {
    const origin = head.fields.get('origin')
    if (origin === undefined) return refuseSite(head)
    const scheme = peer.transport === 'tls' ? 'https' : 'http'
    if (origin.toLowerCase() === `${scheme}://${host.toLowerCase()}` || isAllowed(origin.toLowerCase()))
      return undefined
    return new HttpProblem(
      403,
      `pages of '${shown(origin)}' may not use this server; if they should, serve with http: { origins: ['${shown(origin)}'] }, or --http-origin ${shown(origin)}`,
    )
  }

  // An image or a script of another page comes without an origin, but browsers say where it comes from.
  function refuseSite({ fields }: RequestHead): HttpProblem | undefined {
    const site = fields.get('sec-fetch-site')
    const own = site === undefined || site === 'same-origin' || site === 'none'
    if (own || fields.get('sec-fetch-mode') === 'navigate' || origins.has('*')) return undefined
    return new HttpProblem(403, 'pages of other sites may not use this server')
  }

  return {
    refuse(head, peer) {
      const host = head.fields.get('host')
      // Only HTTP/1.0 goes without, and no browser speaks that.
      if (host === undefined) return refuseOrigin(head, '', peer)
      return refuseHost(host, peer) ?? refuseOrigin(head, host, peer)
    },
    crossOrigin({ fields }) {
      const origin = fields.get('origin')
      return origin !== undefined && isAllowed(origin.toLowerCase()) ? origin : undefined
    },
  }
}

// A page is made to reach another machine by pointing a name of its own at it. Addresses are no names, and one without
// a dot (`localhost`, a container's, a neighbour's in the local network) is in no domain that could be bought.
function isBeyondStrangers(name: string): boolean {
  const isAddress = name.startsWith('[') || /^\d{1,3}(\.\d{1,3}){3}$/.test(name)
  return isAddress || !name.includes('.') || name.endsWith('.localhost')
}

function readHost(host: string): { readonly name: string; readonly port: string } | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/.exec(host.toLowerCase())
  return match === null ? undefined : { name: match[1] as string, port: match[2] ?? '' }
}

function checkHost(host: string): string {
  if (host === '*') return host
  const bare = /^[^[\]]*:[^[\]]*:/.test(host) ? `[${host}]` : host
  if (readHost(bare) !== undefined) return bare.toLowerCase()
  throw new RpcError(
    'invalid_argument',
    `http.hosts: '${host}' is no host; for example math.example, or math.example:8089`,
  )
}

function checkOrigin(origin: string): string {
  const match = /^https?:\/\/([^/?#@\s]+)$/i.exec(origin)
  if (origin === '*') return origin
  if (match !== null && readHost(match[1] as string) !== undefined) return origin.toLowerCase()
  throw new RpcError(
    'invalid_argument',
    `http.origins: '${origin}' is no origin; for example https://app.example`,
  )
}

function shown(origin: string): string {
  return origin.replace(/[^!-&(-~]/g, '?').slice(0, 100)
}
