import type { Call } from '../../core/call.ts'
import type { ItemStream } from '../../core/item-stream.ts'
import type { OutgoingStream } from './outgoing-stream.ts'
import type { ReceiveWindow } from './receive-window.ts'

/** A call that is being served. */
export class ServerCall {
  readonly id: number
  readonly call: Call
  /** The stream argument. */
  readonly input: IncomingInput | undefined
  /** The reply, if it is a stream. */
  output: OutgoingStream | undefined = undefined
  /** It counts as a stream. */
  streaming = false
  headSent = false
  /** The handler, or the stream it returned, has not finished: it counts even if nobody waits any more. */
  running = true
  /** The reply is decided, its last frame on its way. */
  settled = false

  constructor(id: number, call: Call, input: IncomingInput | undefined) {
    this.id = id
    this.call = call
    this.input = input
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
