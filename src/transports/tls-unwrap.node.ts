import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { detached } from '../core/context.ts'
import { RpcError } from '../core/error.ts'
import { systemClock } from '../core/system-clock.ts'
import { nodeTls } from './node-tls.node.ts'
import { peerOf, tlsOf } from './socket-peer.node.ts'
import { SocketWire } from './socket-wire.node.ts'
import { badCertificate, pem, pems, type TlsServerOptions } from './tls-options.node.ts'
import { tlsTrouble } from './tls-trouble.ts'
import type { Wire } from './transport.ts'
import type { Unwrap } from './unwrap.ts'

const handshake = 0x16
const version3 = 0x03

/**
 * The server's side of TLS, on any port: a connection that begins with a TLS handshake is deciphered, and what is
 * inside is looked at as a new connection.
 * @throws RpcError `invalid_argument` for a certificate or key that cannot be used.
 */
export function createTlsUnwrap(options: TlsServerOptions): Unwrap {
  const { requestClientCert = 'no', alpn = ['farcall', 'http/1.1'], report = () => {} } = options
  const { handshakeTimeoutMs = 10_000, clock = systemClock, flushPolicy } = options
  const secureContext = contextOf(options)

  function unwrap(wire: Wire, again: (inner: Wire) => void): void {
    const fail = (error: RpcError) => {
      report(error)
      wire.close(error)
    }
    if (!(wire instanceof SocketWire)) return fail(noSocket(wire))
    const socket = detached(
      () =>
        new (nodeTls().TLSSocket)(wire.takeStream() as Socket, {
          isServer: true,
          secureContext,
          requestCert: requestClientCert !== 'no',
          // OpenSSL refuses who shows none; who shows a wrong one is refused below.
          rejectUnauthorized: requestClientCert === 'required',
          ALPNProtocols: [...alpn],
        }),
    )
    const { address } = wire.peer
    const failed = (thrown: unknown) => {
      stop()
      fail(handshakeError(address, thrown))
    }
    const closed = () => failed(new Error('the connection was closed during the handshake'))
    const stop = () => {
      cancel()
      socket.removeListener('error', failed)
      socket.removeListener('close', closed)
      // An error may still come while it is torn down.
      socket.on('error', () => {})
    }
    const cancel = clock.afterInBackground(handshakeTimeoutMs, () =>
      failed(new Error(`the handshake took longer than ${handshakeTimeoutMs} ms`)),
    )
    socket.once('error', failed)
    socket.once('close', closed)
    socket.once('secure', () => {
      const error = requestClientCert === 'no' ? null : verifyError(socket)
      if (error !== null && requestClientCert === 'required') return failed(error)
      stop()
      const authorized = requestClientCert !== 'no' && error === null
      const peer = { ...peerOf(socket, wire.peer), transport: 'tls', tls: tlsOf(socket, authorized) }
      again(new SocketWire(socket, peer, { side: 'server', flushPolicy }))
    })
  }

  return { name: 'tls', detect, unwrap }
}

function detect(head: Uint8Array): 'yes' | 'no' | 'more' {
  if (head.length === 0) return 'more'
  if (head[0] !== handshake) return 'no'
  if (head.length === 1) return 'more'
  return head[1] === version3 ? 'yes' : 'no'
}

function contextOf(options: TlsServerOptions) {
  try {
    const ca = pems(options.ca)
    return nodeTls().createSecureContext({
      cert: pem(options.cert),
      key: pem(options.key),
      ...(ca !== undefined && { ca }),
      minVersion: 'TLSv1.2',
    })
  } catch (thrown) {
    throw badCertificate(thrown)
  }
}

// Node tells `authorized` only of sockets that its own tls.Server made; this is what that asks, too.
function verifyError(socket: TLSSocket): Error | null {
  const { ssl } = socket as unknown as { ssl: { verifyError(): Error | null } | null }
  return ssl === null ? new Error('the connection is gone') : ssl.verifyError()
}

function handshakeError(address: string, thrown: unknown): RpcError {
  const why = tlsTrouble(thrown) ?? RpcError.from(thrown).message
  return new RpcError('unavailable', `TLS with ${address} failed: ${why}`, { cause: thrown, phase: 'read' })
}

function noSocket(wire: Wire): RpcError {
  return new RpcError('unimplemented', `TLS needs a socket of the system, and ${wire.peer.address} has none`)
}
