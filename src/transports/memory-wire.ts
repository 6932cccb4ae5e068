import { RpcError } from '../core/error.ts'
import type { Peer } from '../core/peer.ts'
import { Inbox } from './inbox.ts'
import type { Lane, LaneEnd } from './lane.ts'
import { type OutputSink, PooledOutput } from './output.ts'
import type { Wire } from './transport.ts'

const ignore = () => {}

/** One end of a connection within the process. */
export class MemoryWire implements Wire, LaneEnd, OutputSink {
  peer: Peer
  readonly out: PooledOutput
  onData: (chunk: Uint8Array) => void = ignore
  onEnd: () => void = ignore
  onClose: (error?: RpcError) => void = ignore
  onDrain: () => void = ignore
  readonly #inbox: Inbox
  readonly #schedule: (fn: () => void) => void
  readonly #gone = Promise.withResolvers<void>()
  #lane: Lane | undefined
  #incoming: Lane | undefined
  #ended = false
  #closed = false

  constructor(peer: Peer, schedule: (fn: () => void) => void) {
    this.peer = peer
    this.#schedule = schedule
    this.#inbox = new Inbox(
      {
        onData: (chunk) => this.onData(chunk),
        onEnd: () => {
          this.onEnd()
          this.#closeIfBothEnded()
        },
        onClose: (error) => this.onClose(error),
        close: (reason) => this.close(reason),
      },
      schedule,
    )
    this.out = new PooledOutput(this)
    // Deferred functions may overtake promise reactions: only after both does the turn of whoever awaits this end.
    queueMicrotask(() => schedule(() => this.#inbox.begin()))
  }

  /** For the output: sends a copy. */
  write(bytes: Uint8Array): boolean {
    if (!this.#ended && !this.#closed) this.#lane?.send(new Uint8Array(bytes))
    return true
  }

  /** For the output: what the peer is too slow to take. */
  get unsent(): number {
    return this.#lane?.unsent ?? 0
  }

  /** Joins the two lanes of the connection to this end of it. */
  join(outgoing: Lane, incoming: Lane): void {
    this.#lane = outgoing
    this.#incoming = incoming
    outgoing.onDrain = () => {
      if (!this.#closed) this.onDrain()
    }
  }

  get paused(): boolean {
    return this.#inbox.paused
  }

  pause(): void {
    this.#inbox.pause()
  }

  resume(): void {
    this.#inbox.resume()
    this.#incoming?.wake()
  }

  unread(bytes: Uint8Array): void {
    this.#inbox.unread(bytes)
  }

  flush(): void {
    this.out.flush()
  }

  end(): void {
    if (this.#ended || this.#closed) return
    this.out.flush()
    this.#ended = true
    this.#lane?.end()
    this.#closeIfBothEnded()
  }

  close(reason?: RpcError): void {
    if (this.#closed) return
    this.#shut()
    this.#lane?.end()
    this.#lane?.close()
    this.#inbox.clear()
    this.#schedule(() => this.#tellClosed(reason))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    await this.#gone.promise
  }

  receive(chunk: Uint8Array): void {
    if (!this.#closed) this.#inbox.push(chunk)
  }

  receiveEnd(): void {
    if (!this.#closed) this.#inbox.end()
  }

  receiveClose(error: RpcError | undefined): void {
    if (this.#closed) return
    if (error !== undefined) return this.#breakOff(error)
    // In a later turn than the end that came before it, so that the wire can answer that by ending too.
    this.#schedule(() => {
      if (this.#closed) return
      this.#breakOff(
        new RpcError('unavailable', `${this.peer.address} closed the connection`, { phase: 'receive' }),
      )
    })
  }

  #breakOff(error: RpcError): void {
    this.#shut()
    this.#schedule(() => this.#tellClosed(error))
  }

  #closeIfBothEnded(): void {
    if (!this.#ended || !this.#inbox.ended || this.#closed) return
    this.#shut()
    this.#schedule(() => this.#tellClosed(undefined))
  }

  #shut(): void {
    this.#closed = true
    this.out.discard()
  }

  #tellClosed(error: RpcError | undefined): void {
    this.#inbox.close(error)
    this.#gone.resolve()
  }
}
