import { writeUtf8 } from '#platform'
import { utf8Length } from '../../core/bytes/text.ts'
import type { RpcError } from '../../core/error.ts'
import type { Wire } from '../../transports/transport.ts'
import type { Room } from '../protocol.ts'
import { Link, type LinkOwner } from './link.ts'
import { JsonSplitter, type OnJsonMessage } from './splitter.ts'

/** What a session does with what comes over its link. */
export interface JsonLinkOwner extends Pick<LinkOwner, 'onGarbage' | 'onEnd' | 'onClosed'> {
  /** A message, as {@link OnJsonMessage}. */
  readonly onMessage: OnJsonMessage
}

// The levels that a message has around the values of the user: the object, the list of arguments, a batch.
const envelopeDepth = 3

/**
 * A connection on which JSON travels without any frame around it: whole messages in and out, and the end. It knows
 * nothing of what they mean.
 */
export class JsonLink extends Link {
  constructor(wire: Wire, room: Room, options: { readonly owner: JsonLinkOwner; readonly lists: boolean }) {
    super(wire, room, { owner: new JsonInput(room, options) })
  }

  /** Sends a message, in one piece. */
  send(text: string): void {
    if (!this.open) return
    const { out } = this.wire
    const length = utf8Length(text)
    out.ensure(length)
    out.at += writeUtf8(out.bytes, text, out.at)
    this.commit()
  }
}

/** Cuts what comes into messages. */
class JsonInput implements LinkOwner {
  readonly #owner: JsonLinkOwner
  readonly #splitter: JsonSplitter
  #over = false

  constructor(
    { limits: { maxMessageBytes, maxDepth } }: Room,
    { owner, lists }: { readonly owner: JsonLinkOwner; readonly lists: boolean },
  ) {
    this.#owner = owner
    this.#splitter = new JsonSplitter(
      { maxBytes: maxMessageBytes, maxDepth: maxDepth + envelopeDepth, lists },
      (bytes, range, problem) => {
        // A message may end the reading, and others may be behind it in the same piece.
        if (!this.#over) owner.onMessage(bytes, range, problem)
      },
    )
  }

  get partial(): boolean {
    return this.#splitter.partial
  }

  get held(): number {
    return this.#splitter.held
  }

  onData(chunk: Uint8Array): void {
    this.#splitter.push(chunk)
  }

  onGarbage(problem: RpcError): void {
    this.#owner.onGarbage(problem)
  }

  onEnd(): void {
    if (!this.partial) this.#owner.onEnd()
  }

  forget(): void {
    this.#over = true
    this.#splitter.clear()
  }

  onClosed(reason: RpcError | undefined): void {
    this.#owner.onClosed(reason)
  }
}
