import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { peerOf } from './socket-peer.node.ts'
import { SocketWire, type SocketWireOptions } from './socket-wire.node.ts'
import type { Wire } from './transport.ts'

/** A wire over a stream that someone else opened: a socket of a server of their own, a pipe to a process. */
export function wireFromStream(stream: Duplex, options: SocketWireOptions): Wire {
  if (stream instanceof Socket) stream.setNoDelay(true)
  const named = { transport: stream instanceof Socket ? 'tcp' : 'stream', address: 'a stream' }
  return new SocketWire(stream, peerOf(stream, named), options)
}
