import type { Call } from '../../core/call.ts'
import type { RpcError } from '../../core/error.ts'
import { isNotExecuted } from '../../core/error.ts'
import type { ItemStream } from '../../core/item-stream.ts'
import type { Reply } from '../../core/layer.ts'
import type { OutgoingStream } from './outgoing-stream.ts'
import type { ReceiveWindow } from './receive-window.ts'

type Resolve = (reply: Reply | PromiseLike<Reply>) => void
type Reject = (error: RpcError) => void

// One executor for all calls: a closure for each would cost as much as the promise itself.
let making: ClientCall
const capture = (resolve: Resolve, reject: Reject): void => making.settledBy(resolve, reject)

function promiseFor(call: ClientCall): Promise<Reply> {
  making = call
  return new Promise(capture)
}

/** Who carries calls, and is told that one of them is given up. */
export interface Carrier {
  giveUp(pending: ClientCall, reason: RpcError): void
}

/** A call that waits for its reply. Its promise is the very one that the caller gets. */
export class ClientCall {
  readonly id: number
  readonly call: Call
  readonly promise: Promise<Reply>
  /** The reply, once it is known to be a stream. */
  stream: ItemStream | undefined = undefined
  countsAsStream = false
  /** How much of it may come. */
  window: ReceiveWindow | undefined = undefined
  /** The call itself has wholly left; until then it was certainly not executed. */
  sent = false
  /** The stream argument. */
  input: OutgoingStream | undefined = undefined
  readonly #carrier: Carrier
  #resolve!: Resolve
  #reject!: Reject

  constructor(id: number, call: Call, carrier: Carrier) {
    this.id = id
    this.call = call
    this.#carrier = carrier
    this.promise = promiseFor(this)
  }

  /** What settles its promise. */
  settledBy(resolve: Resolve, reject: Reject): void {
    this.#resolve = resolve
    this.#reject = reject
  }

  /** The call is cancelled: it listens itself, so that no call makes a closure for it. */
  cancelled(reason: RpcError): void {
    this.#carrier.giveUp(this, reason)
  }

  /** The last of a large call has left. */
  left(): void {
    this.sent = true
    this.input?.wake()
  }

  succeed(value: Reply): void {
    this.call.end()
    this.#resolve(value)
  }

  /** The reply is a stream; the call goes on until that ends. */
  become(stream: ItemStream, window: ReceiveWindow): void {
    this.stream = stream
    this.window = window
    this.#resolve(stream)
  }

  fail(error: RpcError): void {
    if (this.stream !== undefined) {
      this.stream.finish(error)
      this.call.end(error)
      return
    }
    this.call.end(error, isNotExecuted(error))
    // A layer may have put another attempt in the place of this one.
    if (this.call.replacement !== undefined) this.#resolve(this.call.replacement)
    else this.#reject(error)
  }
}
