import type { Call } from '../../core/call.ts'
import type { OutgoingArguments } from './arguments.ts'
import { beginFrame, type CallHead, emptyCallHead, writeCallHead } from './encode.ts'
import { frameTypes, methodRefs } from './frames.ts'
import type { Link } from './link.ts'
import type { Sender } from './outbox.ts'
import type { OutgoingMethodRefs } from './method-refs.ts'

/** Writes what a client asks. */
export class CallWriter {
  readonly #link: Link
  readonly #methods: OutgoingMethodRefs
  // One for all calls: each is written before the next.
  readonly #head = emptyCallHead()

  constructor(link: Link, methods: OutgoingMethodRefs) {
    this.#link = link
    this.#methods = methods
  }

  /**
   * Writes a CALL. Returns false if it is large and still on its way, and then `sender` is told once it has left.
   * @throws RpcError for arguments that cannot travel or are too large; nothing of it has then been sent.
   */
  write(call: Call, id: number, args: OutgoingArguments, sender: Sender): boolean {
    const { wire, outbox } = this.#link
    let ref = this.#methods.refer(call.service, call.method)
    const head = this.#headOf(call, args)
    let start: number
    for (;;) {
      start = beginFrame(wire.out, frameTypes.call, id)
      writeCallHead(wire.out, ref, head)
      this.#link.encode(args.value, start)
      if (outbox.definitionsFirst(this.#link.codec, start)) continue
      // Smaller calls overtake one that is sent in parts: it must not be the one that defines a number.
      if (ref.ref !== methodRefs.define || outbox.fits(start)) break
      wire.out.at = start
      ref = { ...ref, ref: methodRefs.literal }
    }
    const sent = outbox.finish(start, frameTypes.call, id, true, sender)
    if (ref.ref === methodRefs.define) this.#methods.defined(call.service, call.method)
    return sent
  }

  #headOf(call: Call, args: OutgoingArguments): CallHead {
    const head = this.#head
    head.form = args.form
    head.oneway = call.oneway
    head.timeoutMs = this.#timeoutMs(call)
    head.bounded = call.bounded
    head.attempt = call.attempt
    head.key = call.key
    head.stream = args.position
    head.metadata = call.givenMetadata
    return head
  }

  // What is left of the time, as the callee is told; relative, for its clock is not ours.
  #timeoutMs(call: Call): number | undefined {
    if (call.deadline === Number.POSITIVE_INFINITY) return undefined
    return Math.max(1, Math.ceil(call.deadline - call.clock.recent()))
  }
}
