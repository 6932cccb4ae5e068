import type { Call } from '../core/call.ts'
import { markNotExecuted, RpcError } from '../core/error.ts'
import type { Reply } from '../core/layer.ts'
import type { Capabilities, Protocol } from '../protocols/protocol.ts'
import type { Wire } from '../transports/transport.ts'
import { type FakeCall, FakeSession } from './fake-session.ts'
import { stubWire } from './stub-wire.ts'

export { FakeCall, FakeSession } from './fake-session.ts'

export interface FakeProtocolOptions {
  /** How many calls a connection takes. Default `many`. */
  readonly calls?: Capabilities['calls']
  /** What else it can carry. Default everything. */
  readonly can?: Partial<Omit<Capabilities, 'calls'>>
  /** Calls in flight per connection, for `many`. Default 1,024. */
  readonly limit?: number
  /** Times that the protocol has of its own. Default none. */
  readonly times?: Pick<Protocol, 'connectTimeoutMs' | 'handleTimeoutMs'>
}

/** One attempt to connect to the fake peer. */
export interface FakeDial {
  readonly signal: AbortSignal
  /** Lets it succeed. */
  accept(): void
  /** Lets it fail. */
  refuse(error?: RpcError): void
}

/**
 * A peer without bytes, played by a test: it accepts or refuses connections, holds calls until it is told what to
 * answer, drains, dies. Anything that its protocol forbids is in `violations`.
 */
export class FakePeer {
  /** What happens to connects: accepted at once, held until the test decides, or refused with an error. */
  connects: 'accept' | 'hold' | RpcError = 'accept'
  /** Whether a new connection is negotiated at once, or when the test calls `becomeReady`. */
  negotiates: 'at once' | 'when told' = 'at once'
  /** Answers each call at once where it is set; what it throws fails the call. */
  answer: ((call: Call) => Reply) | undefined = undefined
  /** How many calls each new connection takes. */
  limit: number
  /** Every connect, in order. */
  readonly dials: FakeDial[] = []
  /** Every connection, in order; also those that have ended. */
  readonly sessions: FakeSession[] = []
  /** Every call that arrived, in order. */
  readonly calls: FakeCall[] = []
  readonly violations: string[] = []

  constructor(limit: number) {
    this.limit = limit
  }

  /** Calls that have neither been answered nor given up. */
  get held(): FakeCall[] {
    return this.calls.filter(({ settled }) => !settled)
  }

  /** Connections that are open. */
  get open(): FakeSession[] {
    return this.sessions.filter(({ state }) => state !== 'closed')
  }

  /** What a pool is given to connect with. */
  readonly dial = (signal: AbortSignal): Promise<Wire> => {
    const { promise, resolve, reject } = Promise.withResolvers<Wire>()
    const refuse = (error = connectionRefused()) => reject(error)
    this.dials.push({ signal, accept: () => resolve(stubWire()), refuse })
    if (this.connects === 'accept') resolve(stubWire())
    else if (this.connects !== 'hold') refuse(this.connects)
    return promise
  }
}

/** A protocol of the given kind, and the peer that all its connections lead to. */
export function createFakeProtocol(options: FakeProtocolOptions = {}): {
  protocol: Protocol
  peer: FakePeer
} {
  const { calls = 'many', can, limit = calls === 'many' ? 1_024 : 1 } = options
  const peer = new FakePeer(limit)
  const protocol: Protocol = {
    name: `fake-${calls}`,
    ...options.times,
    can: { streams: true, metadata: true, cancel: true, deadline: true, ...can, calls },
    accept() {
      throw new RpcError('unimplemented', 'the fake protocol has no server: its peer is the test')
    },
    dial(wire) {
      const session = new FakeSession({
        wire,
        peer,
        calls,
        limit: peer.limit,
        negotiated: peer.negotiates === 'at once',
      })
      peer.sessions.push(session)
      return session
    },
  }
  return { protocol, peer }
}

/** What a transport says where nobody listens. */
export function connectionRefused(): RpcError {
  return markNotExecuted(new RpcError('unavailable', 'connection refused', { phase: 'connect' }))
}
