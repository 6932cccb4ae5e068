import { isIP, type Socket } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { detached } from '../core/context.ts'
import { type Address, formatAddress } from '../core/endpoint.ts'
import { markNotExecuted, RpcError } from '../core/error.ts'
import { systemClock } from '../core/system-clock.ts'
import { abortError } from './dial.node.ts'
import { nodeTls } from './node-tls.node.ts'
import { peerOf } from './socket-peer.node.ts'
import { SocketWire } from './socket-wire.node.ts'
import { createTcpTransport, dialTcp } from './tcp.node.ts'
import {
  badCertificate,
  pem,
  pems,
  type TlsClientOptions,
  type TlsServerOptions,
} from './tls-options.node.ts'
import { tlsTrouble } from './tls-trouble.ts'
import { createTlsUnwrap } from './tls-unwrap.node.ts'
import type { Transport } from './transport.ts'

export { createTlsUnwrap } from './tls-unwrap.node.ts'
export type { Pem, TlsClientOptions, TlsCommonOptions, TlsServerOptions } from './tls-options.node.ts'

export interface TlsTransportOptions extends TlsClientOptions {
  /** For listening; a server that speaks TLS beside other things uses {@link createTlsUnwrap} instead. */
  readonly server?: TlsServerOptions | undefined
}

/**
 * TLS over TCP. Certificates are always checked, against the name that was dialled.
 * @throws RpcError `invalid_argument` for a certificate or key that cannot be used, when the first is dialled.
 */
export function createTlsTransport(options: TlsTransportOptions = {}): Transport {
  const unwrap = options.server === undefined ? undefined : createTlsUnwrap(options.server)
  const tcp = createTcpTransport({ flushPolicy: options.flushPolicy })
  return {
    name: 'tls',
    async dial(to, signal, { alpn } = {}) {
      const securing = { to, signal, options: { ...options, alpn: options.alpn ?? alpn } }
      const socket = await secure(await dialTcp(to, signal), securing)
      const peer = peerOf(socket, { transport: 'tls', address: formatAddress(to) })
      return new SocketWire(socket, peer, { side: 'client', flushPolicy: options.flushPolicy })
    },
    async listen(at, accept) {
      if (unwrap === undefined) {
        throw new RpcError(
          'failed_precondition',
          `listening at ${formatAddress(at)} needs a certificate: give server: { cert, key }`,
        )
      }
      const listener = await tcp.listen(at, (wire) => unwrap.unwrap(wire, accept))
      const { address } = listener
      return {
        ...listener,
        address: address.transport === 'tcp' ? { ...address, transport: 'tls' } : address,
      }
    },
  }
}

interface Securing {
  readonly to: Address
  readonly signal: AbortSignal
  readonly options: TlsClientOptions
}

/** Shakes hands over a socket that is connected. Whatever fails, nothing is left open. */
function secure(raw: Socket, { to, signal, options }: Securing): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const { handshakeTimeoutMs = 10_000, clock = systemClock } = options
    let socket: TLSSocket
    try {
      socket = detached(() => nodeTls().connect({ ...connectionOptions(to, options), socket: raw }))
    } catch (thrown) {
      raw.destroy()
      return reject(badCertificate(thrown))
    }
    const done = () => {
      cancel()
      signal.removeEventListener('abort', aborted)
      socket.removeListener('error', failed)
    }
    const fail = (error: RpcError) => {
      done()
      socket.on('error', () => {})
      socket.destroy()
      raw.destroy()
      reject(error)
    }
    const failed = (thrown: unknown) => fail(negotiateError(to, thrown))
    const aborted = () => fail(abortError(signal))
    const cancel = clock.afterInBackground(handshakeTimeoutMs, () =>
      failed(new Error(`the handshake took longer than ${handshakeTimeoutMs} ms`)),
    )
    socket.once('error', failed)
    socket.once('secureConnect', () => {
      done()
      resolve(socket)
    })
    signal.addEventListener('abort', aborted, { once: true })
    if (signal.aborted) aborted()
  })
}

function connectionOptions(to: Address, options: TlsClientOptions): ConnectionOptions {
  const host = to.transport === 'tls' || to.transport === 'tcp' ? to.host : ''
  const ca = pems(options.ca)
  // Only names may be asked for in the handshake; an address is checked all the same.
  const servername = options.servername ?? (isIP(host) === 0 ? host : undefined)
  return {
    host,
    ...(servername !== undefined && { servername }),
    ...(ca !== undefined && { ca }),
    ...(options.cert !== undefined && { cert: pem(options.cert) }),
    ...(options.key !== undefined && { key: pem(options.key) }),
    ...(options.alpn !== undefined && { ALPNProtocols: [...options.alpn] }),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: options.dangerouslyInsecure !== true,
  }
}

function negotiateError(to: Address, thrown: unknown): RpcError {
  const reset = (thrown as { code?: unknown }).code === 'ECONNRESET'
  const why = reset ? 'it closed the connection (ECONNRESET); does it speak TLS there?' : tlsTrouble(thrown)
  const message = `TLS with ${formatAddress(to)} failed: ${why ?? RpcError.from(thrown).message}`
  return markNotExecuted(new RpcError('unavailable', message, { cause: thrown, phase: 'negotiate' }))
}
