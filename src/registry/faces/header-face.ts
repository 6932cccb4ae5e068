import { type Endpoint, formatEndpoint, formatHostPort } from '../../core/endpoint.ts'
import { RpcError } from '../../core/error.ts'
import { isLocalPeer, type Peer } from '../../core/peer.ts'
import { invalid, readText } from '../../discovery/api/guards.ts'
import { maxEndpointLength } from '../../discovery/api/limits.ts'
import type { HttpRequest, HttpResponse, HttpRoute } from '../../protocols/http-route.ts'
import { FaceLeases } from './face-leases.ts'
import type { FaceRoom } from './face-room.ts'
import { findOffers } from './offered.ts'
import { readHostPort } from './place.ts'
import { statusOfRefusal } from './refusal.ts'
import { RevisionCache } from './revision-cache.ts'

/** A Go system: its name in the header fields, and what its clients speak behind a `CONNECT` of their own. */
interface Family {
  readonly servers: string
  readonly server: string
  readonly overHttp: string
}

const families: readonly Family[] = [
  { servers: 'x-geerpc-servers', server: 'x-geerpc-server', overHttp: 'geerpc-http' },
  { servers: 'x-myrpc-servers', server: 'x-myrpc-server', overHttp: 'myrpc-http' },
]

// A client of Go takes 10 MiB of header fields, and there are two lists.
const maxListLength = 4 * 1024 * 1024

/**
 * The registry of the older Go systems, all of it in header fields: GET lists the servers, POST registers one or keeps it
 * alive. A server that stops says nothing, and stays until its lease is over.
 */
export function headerFace(
  room: FaceRoom,
  { leaseMs, paths }: { readonly leaseMs: number; readonly paths: readonly string[] },
): HttpRoute {
  const { store, gate, nextIncarnation } = room
  const leases = new FaceLeases({ store, face: 'header', leaseMs, nextIncarnation })
  const lists = new RevisionCache<string>(store)

  function list(family: Family, isHere: boolean): string {
    return lists.get(`${family.servers} ${isHere}`, () => {
      const offers = findOffers(store, (endpoint) => spell(endpoint, family, isHere))
      return cut([...new Set(offers.map(({ way }) => way))].sort())
    })
  }

  function listAll({ peer }: HttpRequest): HttpResponse {
    const isHere = isLocalPeer(peer)
    const fields = families.map((family) => [family.servers, list(family, isHere)] as const)
    return { status: 200, headers: { ...Object.fromEntries(fields), 'cache-control': 'no-store' } }
  }

  function register({ headers, peer }: HttpRequest): HttpResponse {
    const given = families.filter(({ server }) => (headers.get(server) ?? '') !== '')
    if (given.length === 0) {
      return say(500, 'the address of the server is missing: send it as X-Geerpc-Server: tcp@host:port')
    }
    try {
      gate.admit(peer, () => {
        // All are read before the first is registered.
        const read = given.map((family) => readAddress(headers.get(family.server), family, peer))
        for (const { endpoint, services } of read) {
          leases.keep(formatEndpoint(endpoint), { endpoints: [endpoint], services })
        }
      })
      return { status: 200 }
    } catch (thrown) {
      return say(statusOfRefusal(thrown), RpcError.from(thrown).message)
    }
  }

  function readAddress(value: unknown, family: Family, peer: Peer) {
    const text = readText(value, 'the address', maxEndpointLength)
    const [, scheme, address = ''] = /^(tcp|http|unix)@(.+)$/.exec(text) ?? []
    if (scheme === undefined) {
      throw invalid(
        'the address',
        'should be protocol@addr, such as tcp@10.0.0.5:9999; the protocol is tcp, http or unix',
      )
    }
    if (scheme === 'unix') return { endpoint: readUnix(address, peer), services: [] }
    const place = readHostPort(address, peer)
    const protocol = scheme === 'tcp' ? 'geerpc' : family.overHttp
    const endpoint: Endpoint = { protocol, address: { transport: 'tcp', ...place } }
    return { endpoint, services: room.serviceNames(place) }
  }

  const route: HttpRoute = (request) => {
    if (!paths.includes(request.path)) return undefined
    switch (request.method) {
      case 'GET':
      case 'HEAD':
        return listAll(request)
      case 'POST':
        return register(request)
      default:
        return { status: 405, headers: { allow: 'GET, HEAD, POST' } }
    }
  }
  return Object.assign(route, { paths })
}

// A path of another machine would be one of whoever dials it.
function readUnix(path: string, peer: Peer): Endpoint {
  if (!isLocalPeer(peer)) {
    throw invalid('the address', 'is a unix socket, and those are for servers on the machine of the registry')
  }
  if (!path.startsWith('/') || !isListable(path)) {
    throw invalid(
      'the address',
      'should be a whole path without spaces, commas and @, such as unix@/tmp/rpc.sock',
    )
  }
  return { protocol: 'geerpc', address: { transport: 'unix', path } }
}

/** An endpoint as a client of a system dials it; undefined where it cannot, or where it would break the list. */
function spell({ protocol, address }: Endpoint, family: Family, isHere: boolean): string | undefined {
  const scheme = protocol === 'geerpc' ? 'tcp' : protocol === family.overHttp ? 'http' : undefined
  if (address.transport === 'tcp' && scheme !== undefined) {
    const place = formatHostPort(address.host, address.port)
    return isListable(place) ? `${scheme}@${place}` : undefined
  }
  const isNear = address.transport === 'unix' && scheme === 'tcp' && isHere
  return isNear && isListable(address.path) ? `unix@${address.path}` : undefined
}

// Printable, without the space, the comma and the @, which divide such lists and addresses.
function isListable(text: string): boolean {
  return /^[!-+\--?A-~]+$/.test(text)
}

// As many whole addresses as fit.
function cut(addresses: readonly string[]): string {
  const list = addresses.join(',')
  return list.length <= maxListLength ? list : list.slice(0, list.lastIndexOf(',', maxListLength))
}

function say(status: number, message: string): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${message}\n` }
}
