import type { AddressInfo, Socket } from 'node:net'
import { type Address, formatAddress, formatHostPort } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import { dialSocket, type SocketClass } from './dial.node.ts'
import { listenAt, listenerOf } from './listen.node.ts'
import type { FlushPolicy } from './output.ts'
import { ReadingSocket } from './reading-socket.node.ts'
import { peerOf } from './socket-peer.node.ts'
import { SocketWire } from './socket-wire.node.ts'
import type { Transport } from './transport.ts'

export interface TcpTransportOptions {
  /** When frames leave. Default `prompt`. */
  readonly flushPolicy?: FlushPolicy | undefined
  /** Told of connections that could not be accepted (too many open files). Default: nobody. */
  readonly report?: ((error: RpcError) => void) | undefined
}

// How long one address of a name is tried before the next is tried beside it (RFC 8305 says 250 ms).
const nextAddressAfterMs = 250

/**
 * TCP: IPv4, IPv6 and names, of which all addresses are tried. Listening on port 0 takes any free one, on `::` both
 * IPv6 and IPv4. How long a dial may take is up to its signal.
 */
export function createTcpTransport(options: TcpTransportOptions = {}): Transport {
  const { flushPolicy, report = () => {} } = options
  return {
    name: 'tcp',
    async dial(to, signal) {
      return wireOf(await dialTcp(to, signal, ReadingSocket), 'client', flushPolicy)
    },
    async listen(at, accept) {
      const { host, port } = hostPort(at)
      const server = await listenAt(
        at,
        { host, port },
        { accept: (socket) => accept(wireOf(socket, 'server', flushPolicy)), report },
      )
      return listenerOf(server, { transport: 'tcp', host, port: (server.address() as AddressInfo).port })
    },
  }
}

/** Opens a TCP socket to an address of `tcp` or `tls`. */
export function dialTcp(to: Address, signal: AbortSignal, Made?: SocketClass): Promise<Socket> {
  const { host, port } = hostPort(to)
  const families = { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: nextAddressAfterMs }
  return dialSocket(to, { host, port, noDelay: true, ...families }, signal, Made)
}

function wireOf(socket: Socket, side: 'client' | 'server', flushPolicy: FlushPolicy | undefined): SocketWire {
  const peer = peerOf(socket, { transport: 'tcp', address: 'a peer that is gone already' })
  return new SocketWire(socket, peer, { side, flushPolicy })
}

function hostPort(address: Address): { host: string; port: number } {
  if (address.transport !== 'tcp' && address.transport !== 'tls') {
    throw new RpcError('invalid_argument', `the tcp transport does not reach ${formatAddress(address)}`)
  }
  const { host, port } = address
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new RpcError(
      'invalid_argument',
      `${formatHostPort(host, port)}: a port is a whole number from 0 to 65535`,
    )
  }
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port }
}
