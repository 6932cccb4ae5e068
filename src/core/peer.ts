/** Who is at the other end of a connection. */
export interface Peer {
  /** The transport: `tcp`, `unix`, `memory`; `tls` where the connection is encrypted. */
  readonly transport: string
  /** The address as people write it: `10.0.0.5:52311`, `[::1]:8089`, a path. */
  readonly address: string
  /** Our own end of the connection, where there is such a thing: how this machine is seen from there. */
  readonly localAddress?: string
  /** The protocol spoken, once it is known. */
  readonly protocol?: string
  /** What TLS says of the peer. */
  readonly tls?: {
    readonly authorized: boolean
    readonly subject: string | undefined
    readonly alpn: string | undefined
  }
}

/** Whether the other end of a connection is on this machine. Of a stream that something else opened it is not known. */
export function isLocalPeer({ transport, address }: Peer): boolean {
  if (transport === 'unix' || transport === 'memory') return true
  return /^(?:127(?:\.\d{1,3}){3}|\[::1\]|\[::ffff:127(?:\.\d{1,3}){3}\]):\d+$/.test(address)
}
