import type { Wire } from '../transports/transport.ts'

/** A connection that carries nothing, for sessions that need none. */
export function stubWire(): Wire & { readonly closed: boolean } {
  let closed = false
  const nothing = () => {}
  const close = () => {
    closed = true
  }
  return {
    peer: { transport: 'memory', address: 'memory:stub' },
    out: {
      bytes: new Uint8Array(0),
      at: 0,
      queued: 0,
      ensure: nothing,
      commit: nothing,
      take: () => new Uint8Array(0),
    },
    onData: nothing,
    onEnd: nothing,
    onClose: nothing,
    onDrain: nothing,
    pause: nothing,
    resume: nothing,
    unread: nothing,
    flush: nothing,
    end: nothing,
    close,
    get closed() {
      return closed
    },
    [Symbol.asyncDispose]: async () => close(),
  }
}
