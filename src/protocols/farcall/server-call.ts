import type { Call } from '../../core/call.ts'
import type { RpcError } from '../../core/error.ts'
import type { ItemStream } from '../../core/item-stream.ts'
import type { OutgoingStream } from './outgoing-stream.ts'
import type { ReceiveWindow } from './receive-window.ts'

/** Who serves calls, and is told that one of them is cancelled. */
export interface Servant {
  giveUp(served: ServerCall, reason: RpcError): void
}

/** A call that is being served. */
export class ServerCall {
  readonly id: number
  readonly call: Call
  /** The stream argument. */
  input: IncomingInput | undefined = undefined
  /** The reply, if it is a stream. */
  output: OutgoingStream | undefined = undefined
  /** It counts as a stream. */
  streaming = false
  headSent = false
  /** The handler, or the stream it returned, has not finished: it counts even if nobody waits any more. */
  running = true
  /** The reply is decided, its last frame on its way. */
  settled = false

  readonly #servant: Servant

  constructor(id: number, call: Call, servant: Servant) {
    this.id = id
    this.call = call
    this.#servant = servant
  }

  /** The call is cancelled: it listens itself, so that no call makes a closure for it. */
  cancelled(reason: RpcError): void {
    this.#servant.giveUp(this, reason)
  }
}

/** A stream argument as it arrives. */
export interface IncomingInput {
  readonly stream: ItemStream
  readonly window: ReceiveWindow
  ended: boolean
  /** Nothing may be sent for it any more. */
  closed: boolean
}
