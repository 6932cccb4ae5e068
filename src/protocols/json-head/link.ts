import { RpcError } from '../../core/error.ts'
import type { Wire } from '../../transports/transport.ts'
import type { Room, SessionState } from '../protocol.ts'

/** What a session does with what comes over its link. */
export interface LinkOwner {
  /** Takes in bytes; what it throws is garbage. */
  onData(chunk: Uint8Array): void
  /** Whether something has begun that is not all there. */
  readonly partial: boolean
  /** Bytes that are kept of it. Default 0. */
  readonly held?: number
  /** The peer sent what cannot be told apart; nothing after it is read. The owner answers, if it likes, and finishes. */
  onGarbage(problem: RpcError): void
  /** The peer sends no more, and ended between two messages. */
  onEnd(): void
  /** Nothing more is read: what was kept of it can go. */
  forget?(): void
  /** The connection is gone; called once. */
  onClosed(reason: RpcError | undefined): void
}

// How long a peer may take to end its side after we have ended ours.
const lingerMs = 1000

/** A connection with its states and its end, which knows nothing of what it carries. */
export class Link {
  readonly wire: Wire
  readonly room: Room
  state: SessionState
  readonly #owner: LinkOwner
  readonly #closed = Promise.withResolvers<void>()
  #deaf = false
  #reason: RpcError | undefined = undefined
  #heardAt = 0
  #stopWatching: (() => void) | undefined = undefined
  #stopLingering: (() => void) | undefined = undefined

  constructor(wire: Wire, room: Room, options: { readonly owner: LinkOwner; readonly state?: SessionState }) {
    this.wire = wire
    this.room = room
    this.state = options.state ?? 'ready'
    this.#owner = options.owner
    wire.onData = (chunk) => this.#onData(chunk)
    wire.onEnd = () => this.#onEnd()
    wire.onDrain = () => {}
    wire.onClose = (error) => this.#onClose(error)
  }

  /** Resolves when the connection is gone. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Whether messages can still be sent. */
  get open(): boolean {
    return this.state !== 'closed' && this.#stopLingering === undefined
  }

  /** Whether what the peer sends is still read. */
  get listening(): boolean {
    return !this.#deaf
  }

  /** Bytes that are kept of what has begun. */
  get held(): number {
    return this.#owner.held ?? 0
  }

  /** Changes the state; false if it was that already, or closed. */
  enter(state: SessionState): boolean {
    if (this.state === 'closed' || this.state === state) return false
    this.state = state
    return true
  }

  /** A message has been written. A peer that does not read what it asked for must not fill our memory. */
  commit(): void {
    const { out } = this.wire
    out.commit()
    if (out.queued <= this.room.limits.maxUnsentBytes) return
    const message = `the peer ${this.wire.peer.address} does not read what it is sent: ${out.queued} bytes wait, closed`
    this.abort(new RpcError('resource_exhausted', message, { phase: 'write' }))
  }

  /** Reports that the peer broke the protocol. */
  report(problem: RpcError): void {
    const { address } = this.wire.peer
    const message = `${address} broke the protocol: ${problem.message}`
    this.room.report(new RpcError(problem.code, message, { cause: problem, phase: 'read' }), {
      peer: address,
    })
  }

  /** Breaks the connection off. */
  abort(reason: RpcError): void {
    if (this.state === 'closed') return
    this.#reason ??= reason
    this.wire.close(reason)
  }

  /**
   * Ends in good order: sends what is left and waits for the peer to end too, for a second at most. Closing at once
   * could take back from the peer what it has not read yet.
   */
  finish(reason?: RpcError): Promise<void> {
    if (!this.open) return this.closed
    this.#reason ??= reason
    this.#turnAway()
    this.#stopLingering = this.room.clock.after(lingerMs, () => this.wire.close(this.#reason))
    this.wire.end()
    return this.closed
  }

  /** The same when all has been sent: for who ends with an answer, which a slow peer takes longer to read than that. */
  finishWhenSent(reason?: RpcError): void {
    this.wire.flush()
    if (this.wire.out.queued === 0) return void this.finish(reason)
    this.wire.onDrain = () => void this.finish(reason)
    this.#watchSending()
  }

  #watchSending(): void {
    const { queued } = this.wire.out
    const { clock, limits } = this.room
    this.#stopWatching?.()
    this.#stopWatching = clock.afterInBackground(limits.keepaliveMs, () => {
      if (this.wire.out.queued < queued) return this.#watchSending()
      const message = `the peer ${this.wire.peer.address} has read nothing for ${limits.keepaliveMs} ms: ${queued} bytes wait, closed`
      this.abort(new RpcError('deadline_exceeded', message, { phase: 'write' }))
    })
  }

  #turnAway(): void {
    this.#deaf = true
    this.#stopWatching?.()
    this.#stopWatching = undefined
    this.#owner.forget?.()
    this.wire.resume()
  }

  #onData(chunk: Uint8Array): void {
    if (this.#deaf || this.state === 'closed') return
    this.#heardAt = this.room.clock.now()
    this.#guarded(() => this.#owner.onData(chunk))
    if (!this.#deaf && this.#owner.partial) this.#watch()
  }

  #guarded(read: () => void): void {
    try {
      read()
    } catch (thrown) {
      if (this.#deaf) return
      const problem = RpcError.from(thrown, 'internal', 'read')
      this.#turnAway()
      this.report(problem)
      this.#owner.onGarbage(problem)
    }
  }

  // A message that was begun must go on, or the connection is given up: half a message could otherwise be held for ever.
  #watch(): void {
    if (this.#stopWatching !== undefined) return
    const { clock, limits } = this.room
    const left = this.#heardAt + limits.keepaliveMs - clock.now()
    this.#stopWatching = clock.afterInBackground(Math.max(1, left), () => {
      this.#stopWatching = undefined
      if (this.#deaf || !this.#owner.partial) return
      if (clock.now() < this.#heardAt + limits.keepaliveMs) return this.#watch()
      const message = `a message was begun and did not go on for ${limits.keepaliveMs} ms`
      this.abort(new RpcError('deadline_exceeded', message, { phase: 'read' }))
    })
  }

  #onEnd(): void {
    if (!this.open || this.#deaf) return
    this.#guarded(() => this.#owner.onEnd())
    if (this.#deaf || !this.#owner.partial) return
    const message = `${this.wire.peer.address} ended the connection in the middle of a message`
    this.abort(new RpcError('unavailable', message, { phase: 'receive' }))
  }

  #onClose(error: RpcError | undefined): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.#deaf = true
    this.#stopWatching?.()
    this.#owner.forget?.()
    // A peer that answers our end by breaking off has ended all the same.
    const reason = this.#stopLingering === undefined ? (this.#reason ?? error) : this.#reason
    this.#stopLingering?.()
    this.#owner.onClosed(reason)
    this.#closed.resolve()
  }
}
