import type { Clock } from '../core/clock.ts'
import type { Codec } from '../core/codec.ts'
import type { RpcError } from '../core/error.ts'
import type { Handler } from '../core/layer.ts'
import type { Limits } from '../core/limits.ts'
import type { MethodInfo } from '../core/method-info.ts'
import type { Random } from '../core/random.ts'
import type { Wire } from '../transports/transport.ts'
import type { Detect } from '../core/detect.ts'

/**
 * How calls are written as bytes on a connection. A protocol turns bytes into calls and replies, and back; it knows
 * nothing of services, registries or balancers. A new one is one folder and one entry in the composition root.
 */
export interface Protocol extends ClientProtocol {
  /** Whether a connection that begins with these bytes speaks it; absent where it can only be asked for by name. */
  readonly detect?: Detect
  /** The server's side of a connection. */
  accept(wire: Wire, handler: Handler, room: Room): Session
}

/** What a client needs of a protocol: where no server is, its server's half need not be either. */
export interface ClientProtocol {
  readonly name: string
  /** The names by which TLS negotiates it (ALPN). */
  readonly alpn?: readonly string[]
  readonly can: Capabilities
  /**
   * How long connecting and negotiating may take together, in milliseconds, unless the client was told otherwise; 0 for
   * as long as they like. Absent: each as long as for any other protocol.
   */
  readonly connectTimeoutMs?: number
  /**
   * What it agrees on with its peer as the time for a call, in milliseconds; 0 for none. It takes the place of the
   * deadline that a client gives calls for want of another. Absent where nothing is agreed on.
   */
  readonly handleTimeoutMs?: number
  /** The client's side of a connection. Calls may be made at once; the session tells by its state when it is negotiated. */
  dial(wire: Wire, room: Room): ClientSession
}

/** What a protocol can carry. A call that needs more fails where it was made, naming protocol and feature. */
export interface Capabilities {
  readonly streams: boolean
  readonly metadata: boolean
  readonly cancel: boolean
  readonly deadline: boolean
  readonly calls: 'many' | 'one-at-a-time' | 'one-per-connection'
  /**
   * The peers of this protocol know methods without services, and an answer that they have no such method cannot be told
   * from a result. Default false.
   */
  readonly bareNames?: boolean
  /** Its peers refuse a method that is named without a service. Default false. */
  readonly needsService?: boolean
}

export type SessionState = 'opening' | 'ready' | 'draining' | 'closed'

/** One protocol on one connection. */
export interface Session extends AsyncDisposable {
  readonly state: SessionState
  /** Calls, streams among them, that have not ended. */
  readonly inFlight: number
  /** How many the peer takes at once. */
  readonly limit: number
  /** Bytes that it keeps of messages that are not all there, or not in the output yet. Default 0. */
  readonly held?: number
  /** Told of each change, with the reason where there is one; of `ready` also when `limit` has grown meanwhile. */
  onState: (state: SessionState, reason?: RpcError) => void
  /** Takes no new calls and says so to the peer; what is in flight goes on. Closes itself when that has ended. */
  drain(): void
  /** Ends it now; calls in flight fail with the reason. Resolves when the connection is gone. Harmless if repeated. */
  close(reason?: RpcError): Promise<void>
}

export interface ClientSession extends Session {
  /** Makes a call; the promise it returns is settled by the reply itself. */
  readonly call: Handler
}

/** What a session finds around it. */
export interface Room {
  readonly clock: Clock
  readonly random: Random
  readonly limits: Limits
  /** Best first. */
  readonly codecs: readonly Codec[]
  /** What is known of a method on this side. */
  info(service: string, method: string): MethodInfo | undefined
  /** Takes in what a peer says of one. */
  learn(service: string, method: string, info: MethodInfo): void
  /** Something worth a line in the log that no call can report: a peer broke the protocol, a generator did not end. */
  report(what: RpcError, fields?: Readonly<Record<string, unknown>>): void
}
