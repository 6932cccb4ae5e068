import type { RpcError } from '../core/error.ts'
import type { Wire } from '../transports/transport.ts'

/** One end of a connection, played by a test byte by byte. */
export interface ScriptedPeer extends AsyncDisposable {
  readonly wire: Wire
  /** How many bytes have come in all. */
  readonly received: number
  /** Whether the other side has ended its direction. */
  readonly hasEnded: boolean
  /** Resolves when the connection is gone, with the error that it broke off with. */
  readonly closed: Promise<RpcError | undefined>
  /** Sends bytes (a string as UTF-8) at once. */
  send(bytes: Uint8Array | string): void
  /** The next `count` bytes. Rejects when fewer come before the end. */
  read(count: number): Promise<Uint8Array>
  /** Everything up to the end of the other side's direction, or of the connection. */
  readToEnd(): Promise<Uint8Array>
}

interface Reading {
  readonly enough: () => boolean
  readonly resolve: () => void
}

/** Takes a wire over for a script. Call it in the turn in which the wire came. */
export function scriptedPeer(wire: Wire): ScriptedPeer {
  const closed = Promise.withResolvers<RpcError | undefined>()
  let chunks: Uint8Array[] = []
  let available = 0
  let received = 0
  let hasEnded = false
  let isGone = false
  let readings: Reading[] = []

  const check = () => {
    const ready = readings.filter((reading) => isGone || reading.enough())
    readings = readings.filter((reading) => !ready.includes(reading))
    for (const reading of ready) reading.resolve()
  }
  const until = (enough: () => boolean) =>
    new Promise<void>((resolve) => {
      readings.push({ enough, resolve })
      check()
    })
  function take(count: number): Uint8Array {
    const all = concat(chunks)
    chunks = [all.subarray(count)]
    available -= count
    return all.subarray(0, count)
  }

  wire.onData = (chunk) => {
    chunks.push(new Uint8Array(chunk))
    available += chunk.length
    received += chunk.length
    check()
  }
  wire.onEnd = () => {
    hasEnded = true
    check()
  }
  wire.onClose = (error) => {
    isGone = true
    check()
    closed.resolve(error)
  }

  return {
    wire,
    closed: closed.promise,
    get received() {
      return received
    },
    get hasEnded() {
      return hasEnded
    },
    send(bytes) {
      const raw = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes
      wire.out.ensure(raw.length)
      wire.out.bytes.set(raw, wire.out.at)
      wire.out.at += raw.length
      wire.out.commit()
      wire.flush()
    },
    async read(count) {
      await until(() => hasEnded || available >= count)
      if (available < count) throw new Error(`the connection ended after ${available} of ${count} bytes`)
      return take(count)
    },
    async readToEnd() {
      await until(() => hasEnded)
      return take(available)
    },
    async [Symbol.asyncDispose]() {
      wire.close()
      await closed.promise
    },
  }
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
