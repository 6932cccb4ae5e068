import { parseHostPort } from '../core/endpoint.ts'
import type { Peer } from '../core/peer.ts'

/** From which host a peer calls, IPv4 in its own form; undefined where its connection has none, as a unix socket. */
export function seenHost(peer: Peer | undefined): string | undefined {
  if (peer === undefined || (peer.transport !== 'tcp' && peer.transport !== 'tls')) return undefined
  const { host } = parseHostPort(peer.address)
  return host.replace(/^::ffff:(?=\d+\.)/i, '')
}
