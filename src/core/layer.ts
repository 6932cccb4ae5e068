import type { Call } from './call.ts'

/** What a call comes to: the bare value, or a {@link Stream}. Failure is thrown or rejected, as an RpcError. */
export type Reply = unknown

/**
 * The one shape of a call, on both sides: a client's call, one attempt of it, a server's method, a layer around any
 * of these. It may answer synchronously; nothing becomes a promise that need not be one.
 */
export type Handler = (call: Call) => Reply | PromiseLike<Reply>

/** A function around a call. Composed once, when a client or server is made, not for each call. */
export type Layer = (next: Handler) => Handler

/** The first layer is the outermost: `compose([a, b], handler)` is `a(b(handler))`. */
export function compose(layers: readonly Layer[], handler: Handler): Handler {
  return layers.reduceRight((next, layer) => layer(next), handler)
}

/** Whether a reply has still to come. */
export function isPending(reply: Reply | PromiseLike<Reply>): reply is PromiseLike<Reply> {
  return (
    typeof reply === 'object' && reply !== null && typeof (reply as { then?: unknown }).then === 'function'
  )
}
