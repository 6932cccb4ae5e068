import { detached } from '../core/context.ts'
import { markNotExecuted, RpcError } from '../core/error.ts'
import type { ClientProtocol, ClientSession, Room, SessionState } from '../protocols/protocol.ts'
import type { Wire } from '../transports/transport.ts'
import type { ConnectTime } from './pool-options.ts'

export interface DialInit {
  /** The endpoint as people write it; errors name it. */
  readonly name: string
  readonly protocol: ClientProtocol
  readonly room: Room
  readonly time: ConnectTime
  dial(signal: AbortSignal): Promise<Wire>
}

/** What a dialer tells; exactly one of `ready` and `failed`, once, and neither after it was stopped. */
export interface DialEvents {
  /** There is a connection, and the protocol is being negotiated. */
  negotiating(): void
  ready(session: ClientSession): void
  /** The error is marked as "not executed": no call was sent. */
  failed(error: RpcError): void
}

export interface Dialing {
  readonly phase: 'connect' | 'negotiate'
  /** Gives up; resolves when nothing is left open. Harmless if repeated. */
  stop(): Promise<void>
}

/** Opens one session: connects, then waits until the protocol is negotiated, for as long as `time` allows. */
export function openSession(init: DialInit, events: DialEvents): Dialing {
  return new Dialer(init, events)
}

/** How far the one that has got furthest is. */
export function phaseOf(dialings: Iterable<Dialing>): Dialing['phase'] {
  for (const { phase } of dialings) if (phase === 'negotiate') return phase
  return 'connect'
}

class Dialer implements Dialing {
  phase: 'connect' | 'negotiate' = 'connect'
  readonly #init: DialInit
  readonly #events: DialEvents
  readonly #abort = new AbortController()
  #over = false
  #session: ClientSession | undefined
  #disarm: () => void

  constructor(init: DialInit, events: DialEvents) {
    this.#init = init
    this.#events = events
    this.#disarm = this.#arm()
    // A connection outlives the call that it happens to be made for.
    detached(() => this.#dial()).then(
      (wire) => this.#negotiate(wire),
      (error) => this.#fail(error),
    )
  }

  async stop(): Promise<void> {
    this.#end()
    const reason = new RpcError('cancelled', `${this.#init.name}: the connection is no longer wanted`)
    this.#abort.abort(reason)
    await this.#session?.close(reason)
  }

  // Async, so that a transport that throws rejects like one that fails later.
  async #dial(): Promise<Wire> {
    return this.#init.dial(this.#abort.signal)
  }

  #negotiate(wire: Wire): void {
    // The transport was too late, or did not listen to the signal.
    if (this.#over) return wire.close()
    this.phase = 'negotiate'
    if (!this.#init.time.together) {
      this.#disarm()
      this.#disarm = this.#arm()
    }
    try {
      const session = detached(() => this.#init.protocol.dial(wire, this.#init.room))
      this.#session = session
      session.onState = (state, reason) => this.#follow(state, reason)
      this.#events.negotiating()
      this.#follow(session.state)
    } catch (error) {
      wire.close()
      this.#fail(error)
    }
  }

  #follow(state: SessionState, reason?: RpcError): void {
    if (this.#over || this.#session === undefined) return
    switch (state) {
      case 'opening':
        return
      case 'ready':
        this.#end()
        return this.#events.ready(this.#session)
      case 'draining':
        return this.#fail(new RpcError('unavailable', 'the server is stopping'))
      case 'closed':
        return this.#fail(
          reason ?? new RpcError('unavailable', 'the connection was closed before it was negotiated'),
        )
    }
  }

  #arm(): () => void {
    const { time, room } = this.#init
    const { timeoutMs } = time
    if (timeoutMs === Number.POSITIVE_INFINITY) return () => {}
    return room.clock.after(timeoutMs, () => {
      const what =
        this.phase === 'connect' ? 'no connection' : 'connected, but the protocol was not negotiated'
      this.#fail(new RpcError('unavailable', `${what} within ${timeoutMs} ms`))
    })
  }

  #fail(thrown: unknown): void {
    if (this.#over) return
    this.#end()
    const error = this.#describe(RpcError.from(thrown, 'unavailable', this.phase))
    this.#abort.abort(error)
    // It has nothing in flight; whatever goes wrong while it closes concerns nobody.
    this.#session?.close(error).catch(() => {})
    this.#events.failed(error)
  }

  #end(): void {
    this.#over = true
    this.#disarm()
  }

  #describe(cause: RpcError): RpcError {
    const message = cause.message.includes(this.#init.name)
      ? cause.message
      : `${this.#init.name}: ${cause.message}`
    return markNotExecuted(new RpcError(codeOf(cause), message, { cause, phase: this.phase }))
  }
}

// Whatever keeps a connection from being made, for a call it means that the endpoint is not available; except where
// the reason is one that somebody must do something about.
function codeOf({ code }: RpcError): RpcError['code'] {
  switch (code) {
    case 'unauthenticated':
    case 'permission_denied':
    case 'failed_precondition':
    case 'unimplemented':
      return code
    default:
      return 'unavailable'
  }
}
