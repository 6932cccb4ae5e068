import type { Address } from '../core/endpoint.ts'
import type { RpcError } from '../core/error.ts'
import type { Output } from '../core/bytes/output.ts'
import type { Peer } from '../core/peer.ts'

/** What carries bytes: `tcp`, `unix`, `memory`. */
export interface Transport {
  readonly name: string
  /**
   * Opens a connection.
   * @throws RpcError `unavailable` in phase `connect`; `cancelled` if the signal says so, and then nothing is left open.
   */
  dial(to: Address, signal: AbortSignal, options?: DialOptions): Promise<Wire>
  /** @throws RpcError that says why it cannot listen there and what to do (`already_exists` for a busy port). */
  listen(at: Address, accept: (wire: Wire) => void): Promise<Listener>
}

export interface DialOptions {
  /** The names of the protocol that is to be spoken, for a transport that negotiates it. Default: none is negotiated. */
  readonly alpn?: readonly string[] | undefined
}

export interface Listener extends AsyncDisposable {
  /** Where it really listens: a port 0 has become the real one. */
  readonly address: Address
  /** Takes no more connections; those that are open stay. Resolves when the address is free again. */
  close(): Promise<void>
}

/**
 * One open connection: it pushes what it reads, and what is written goes into `out`, in place. Who holds the wire sets
 * the four handlers before the turn in which it got it is over; bytes never come before that.
 */
export interface Wire extends AsyncDisposable {
  /** Who is at the other end. A server replaces it by one with the protocol, once it knows what is spoken. */
  peer: Peer
  readonly out: WireOutput
  /** A chunk has come. It is borrowed: its bytes may change once this returns. */
  onData: (chunk: Uint8Array) => void
  /** The peer will send no more; we still may. */
  onEnd: () => void
  /** The connection is gone; called exactly once, with the error if it did not end in good order. */
  onClose: (error?: RpcError) => void
  /** All that was sent has been taken by the system, after `out.queued` had risen above 0. */
  onDrain: () => void
  /** Stops reading; `resume` goes on. */
  pause(): void
  resume(): void
  /** Puts bytes back in front of what is read next; they come as a chunk in a later turn. */
  unread(bytes: Uint8Array): void
  /** Sends what is in `out` now. It otherwise leaves by itself when the turn is over. */
  flush(): void
  /** Sends what is left, then ends our direction. */
  end(): void
  /** Ends the connection now; what is unsent is lost. Harmless if repeated. */
  close(reason?: RpcError): void
}

/**
 * A connection that something else has opened, as a stream of the platform's: on Node any duplex stream of bytes, a
 * socket among them. The platform's part turns it into a {@link Wire}.
 */
export interface ByteStream {
  write(chunk: Uint8Array): boolean
  destroy(): unknown
}

/**
 * The bytes about to be sent. An encoder writes one whole frame, then calls `commit()`: what is committed leaves at the
 * end of the turn, or earlier where the flush policy of the transport says so.
 */
export interface WireOutput extends Output {
  /** Bytes handed to the system that it has not taken yet. */
  readonly queued: number
  /** A frame ends at `at`. Stream items pass `prompt` false: they are better sent in large pieces. */
  commit(prompt?: boolean): void
  /**
   * Takes out again what stands from `from` on and is not committed. The bytes are the caller's from now on, with the whole
   * buffer that they are in.
   */
  take(from: number): Uint8Array
}
