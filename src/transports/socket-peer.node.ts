import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import type { Peer } from '../core/peer.ts'
import { shownAddress } from './system-error.ts'

/** Who is at the other end of a stream; `named` where the system does not say (unix sockets, other streams). */
export function peerOf(stream: Duplex, named: Peer): Peer {
  if (!(stream instanceof Socket)) return named
  const { remoteAddress, remotePort, localAddress, localPort } = stream
  const hasAddress = remoteAddress !== undefined && remotePort !== undefined
  return {
    transport: isTls(stream) ? 'tls' : named.transport,
    address: hasAddress ? shownAddress(remoteAddress, remotePort) : named.address,
    ...(named.localAddress !== undefined && { localAddress: named.localAddress }),
    ...(localAddress !== undefined &&
      localPort !== undefined && { localAddress: shownAddress(localAddress, localPort) }),
    ...(isTls(stream) && { tls: tlsOf(stream, stream.authorized) }),
  }
}

// By what only these have: to name their class would load all of TLS.
function isTls(socket: Socket): socket is TLSSocket {
  return (socket as Partial<TLSSocket>).encrypted === true
}

/** What TLS says of the peer. */
export function tlsOf(socket: TLSSocket, authorized: boolean): NonNullable<Peer['tls']> {
  return {
    authorized,
    subject: subjectOf(socket.getPeerCertificate()),
    alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined,
  }
}

// An empty object when the peer showed no certificate; null when the socket is gone.
function subjectOf(certificate: Partial<PeerCertificate> | null): string | undefined {
  const subject = certificate?.subject
  if (subject === undefined) return undefined
  return Object.entries(subject)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(', ')
}
