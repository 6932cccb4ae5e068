import { writeUtf8 } from '#platform'
import { utf8Length } from '../../core/bytes/text.ts'
import { RpcError } from '../../core/error.ts'
import type { Wire } from '../../transports/transport.ts'
import type { Room, SessionState } from '../protocol.ts'
import { JsonSplitter, type OnJsonMessage } from './splitter.ts'

/** What a session does with what comes over its link. */
export interface JsonLinkOwner {
  /** A message, as {@link OnJsonMessage}. */
  readonly onMessage: OnJsonMessage
  /** The peer sent what cannot be told apart; nothing after it is read. The owner answers, if it likes, and finishes. */
  onGarbage(problem: RpcError): void
  /** The peer sends no more, and ended in good order. */
  onEnd(): void
  /** The connection is gone; called once. */
  onClosed(reason: RpcError | undefined): void
}

// The levels that a message has around the values of the user: the object, the list of arguments, a batch.
const envelopeDepth = 3
// How long a peer may take to end its side after we have ended ours.
const lingerMs = 1000

/**
 * A connection on which JSON travels without any frame around it: whole messages in and out, and the end. It knows
 * nothing of what they mean.
 */
export class JsonLink {
  readonly wire: Wire
  readonly room: Room
  state: SessionState = 'ready'
  readonly #owner: JsonLinkOwner
  readonly #splitter: JsonSplitter
  readonly #closed = Promise.withResolvers<void>()
  #deaf = false
  #reason: RpcError | undefined = undefined
  #heardAt = 0
  #stopWatching: (() => void) | undefined = undefined
  #stopLingering: (() => void) | undefined = undefined

  constructor(wire: Wire, room: Room, options: { readonly owner: JsonLinkOwner; readonly lists: boolean }) {
    const { maxMessageBytes, maxDepth } = room.limits
    this.wire = wire
    this.room = room
    this.#owner = options.owner
    this.#splitter = new JsonSplitter(
      { maxBytes: maxMessageBytes, maxDepth: maxDepth + envelopeDepth, lists: options.lists },
      (bytes, range, problem) => {
        if (!this.#deaf) this.#owner.onMessage(bytes, range, problem)
      },
    )
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

  /** Changes the state; false if it was that already, or closed. */
  enter(state: SessionState): boolean {
    if (this.state === 'closed' || this.state === state) return false
    this.state = state
    return true
  }

  /** Sends a message, in one piece. A peer that does not read what it asked for must not fill our memory. */
  send(text: string): void {
    if (!this.open) return
    const { out } = this.wire
    const length = utf8Length(text)
    out.ensure(length)
    out.at += writeUtf8(out.bytes, text, out.at)
    out.commit()
    if (out.queued <= this.room.limits.maxUnsentBytes) return
    const { address } = this.wire.peer
    this.abort(
      new RpcError(
        'resource_exhausted',
        `the peer ${address} does not read its answers: ${out.queued} bytes wait, closed`,
        { phase: 'write' },
      ),
    )
  }

  /** Reports that the peer broke the protocol. */
  report(problem: RpcError): void {
    const { address } = this.wire.peer
    const message = `${address} broke the protocol: ${problem.message}`
    this.room.report(new RpcError(problem.code, message, { cause: problem, phase: 'read' }), {
      peer: address,
    })
  }

  /** Reads no more of what the peer sends; it is thrown away. */
  turnAway(): void {
    this.#deaf = true
    this.#splitter.clear()
    this.wire.resume()
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
    this.turnAway()
    this.#stopLingering = this.room.clock.after(lingerMs, () => this.wire.close(this.#reason))
    this.wire.end()
    return this.closed
  }

  #onData(chunk: Uint8Array): void {
    if (this.#deaf || this.state === 'closed') return
    this.#heardAt = this.room.clock.now()
    try {
      this.#splitter.push(chunk)
    } catch (thrown) {
      return this.#onGarbage(RpcError.from(thrown, 'internal', 'read'))
    }
    if (this.#splitter.partial) this.#watch()
  }

  #onGarbage(problem: RpcError): void {
    if (this.#deaf) return
    this.turnAway()
    this.report(problem)
    this.#owner.onGarbage(problem)
  }

  // A message that was begun must go on, or the connection is given up: half a message could otherwise be held for ever.
  #watch(): void {
    if (this.#stopWatching !== undefined) return
    const { clock, limits } = this.room
    const left = this.#heardAt + limits.keepaliveMs - clock.now()
    this.#stopWatching = clock.afterInBackground(Math.max(1, left), () => {
      this.#stopWatching = undefined
      if (!this.#splitter.partial || this.#deaf) return
      if (clock.now() < this.#heardAt + limits.keepaliveMs) return this.#watch()
      this.abort(
        new RpcError(
          'deadline_exceeded',
          `a message was begun and did not go on for ${limits.keepaliveMs} ms`,
          {
            phase: 'read',
          },
        ),
      )
    })
  }

  #onEnd(): void {
    if (this.#splitter.partial) {
      const { address } = this.wire.peer
      return this.abort(
        new RpcError('unavailable', `${address} ended the connection in the middle of a message`, {
          phase: 'receive',
        }),
      )
    }
    if (this.open) this.#owner.onEnd()
  }

  #onClose(error: RpcError | undefined): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.#deaf = true
    this.#splitter.clear()
    this.#stopWatching?.()
    // A peer that answers our end by breaking off has ended all the same.
    const reason = this.#stopLingering === undefined ? (this.#reason ?? error) : this.#reason
    this.#stopLingering?.()
    this.#owner.onClosed(reason)
    this.#closed.resolve()
  }
}
