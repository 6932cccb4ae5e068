import type { Duplex } from 'node:stream'
import type { Clock } from '../core/clock.ts'
import { detached } from '../core/context.ts'
import { type Phase, RpcError } from '../core/error.ts'
import type { Peer } from '../core/peer.ts'
import { systemClock } from '../core/system-clock.ts'
import { Inbox } from './inbox.ts'
import { type FlushPolicy, type OutputSink, PooledOutput } from './output.ts'
import { ReadingSocket } from './reading-socket.node.ts'
import { brokenError } from './system-error.ts'
import type { Wire } from './transport.ts'

export interface SocketWireOptions {
  /** Which side of the connection we are; it decides how an error names its phase. */
  readonly side: 'client' | 'server'
  /** Default `prompt`. */
  readonly flushPolicy?: FlushPolicy | undefined
  /** Told the time of each chunk. Default: the machine's. */
  readonly clock?: Clock | undefined
}

const ignore = () => {}

/** A wire over a socket, or over any other duplex stream of bytes. */
export class SocketWire implements Wire, OutputSink {
  peer: Peer
  readonly out: PooledOutput
  onData: (chunk: Uint8Array) => void = ignore
  onEnd: () => void = ignore
  onClose: (error?: RpcError) => void = ignore
  onDrain: () => void = ignore
  readonly #socket: Duplex
  readonly #side: 'client' | 'server'
  readonly #clock: Clock
  readonly #inbox: Inbox = new Inbox(this)
  readonly #gone = Promise.withResolvers<void>()
  #state: 'open' | 'taken' | 'closing' | 'closed' = 'open'
  #reading = false
  #waiting = false
  #peerEnded = false
  #error: RpcError | undefined

  constructor(socket: Duplex, peer: Peer, options: SocketWireOptions) {
    this.#socket = socket
    this.#side = options.side
    this.#clock = options.clock ?? systemClock
    this.peer = peer
    this.out = new PooledOutput(this, { policy: options.flushPolicy })
    if (socket instanceof ReadingSocket) socket.onBytes = this.#take
    socket.on('error', (error) => this.#failed(error))
    socket.on('close', () => this.#closed())
    // Only then do bytes begin to flow: in the turn that is running, whoever gets this wire sets its handlers.
    setImmediate(() => this.#begin())
  }

  /** For the output: whether the system took all at once. */
  write(bytes: Uint8Array): boolean {
    const socket = this.#socket
    if (this.#state !== 'open' || !socket.writable) return true
    socket.write(bytes, this.#written)
    if (socket.writableLength === 0) return true
    this.#waiting = true
    return false
  }

  /** For the output: bytes that the system has not taken. */
  get unsent(): number {
    return this.#socket.writableLength
  }

  pause(): void {
    this.#inbox.pause()
    if (this.#reading) this.#socket.pause()
  }

  resume(): void {
    this.#inbox.resume()
    if (this.#reading) this.#socket.resume()
  }

  unread(bytes: Uint8Array): void {
    this.#inbox.unread(bytes)
  }

  flush(): void {
    this.out.flush()
  }

  end(): void {
    if (this.#state !== 'open') return
    this.out.flush()
    this.#socket.end()
  }

  close(reason?: RpcError): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#state = 'closing'
    this.#error ??= reason
    this.#inbox.clear()
    this.out.discard()
    this.#socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    await this.#gone.promise
  }

  /**
   * Gives the stream away, with the bytes that were put back in front: something else reads and writes it from now on.
   * This wire only tells when the connection is gone, and can close it.
   */
  takeStream(): Duplex {
    this.out.flush()
    const socket = this.#socket
    if (socket instanceof ReadingSocket) socket.onBytes = (chunk) => socket.push(new Uint8Array(chunk))
    else socket.removeListener('data', this.#received)
    socket.removeListener('end', this.#ended)
    socket.pause()
    // A later end is seen by the new owner; a paused stream would otherwise be resumed by removing the listener.
    for (const chunk of this.#inbox.takeHeld().reverse()) socket.unshift(chunk)
    this.#state = 'taken'
    return socket
  }

  #begin(): void {
    this.#inbox.begin()
    if (this.#socket.closed) this.#closed()
    if (this.#state !== 'open') return
    this.#reading = true
    this.#socket.on('end', this.#ended)
    if (!(this.#socket instanceof ReadingSocket)) this.#socket.on('data', this.#received)
    if (this.#inbox.paused) this.#socket.pause()
    else this.#socket.resume()
  }

  readonly #take = (chunk: Uint8Array) => {
    if (this.#state !== 'open') return
    this.#clock.now()
    this.#inbox.push(chunk)
  }

  // A plain Uint8Array, as everywhere: the `slice` of a Buffer is no copy.
  readonly #received = (chunk: Uint8Array) =>
    this.#take(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length))

  readonly #ended = () => {
    this.#peerEnded = true
    this.#inbox.end()
  }

  readonly #written = () => {
    if (!this.#waiting || this.#socket.writableLength > 0) return
    this.#waiting = false
    this.out.reclaim()
    // The write may have been made inside a call; what goes on because of it must not seem to belong to that.
    if (this.#state === 'open') detached(() => this.onDrain())
  }

  #failed(thrown: Error): void {
    // What came first is the reason; what follows from it is not.
    if (this.#state === 'closing') return
    const isWrite = (thrown as { syscall?: unknown }).syscall === 'write'
    this.#error ??= brokenError(this.peer.address, this.#phase(isWrite), thrown)
    // TLS reports an alert of the peer without closing anything.
    this.#socket.destroy()
  }

  #phase(isWrite: boolean): Phase {
    if (this.#side === 'client') return isWrite ? 'send' : 'receive'
    return isWrite ? 'write' : 'read'
  }

  #closed(): void {
    if (this.#state === 'closed') return
    const state = this.#state
    this.#state = 'closed'
    this.out.discard()
    if (state === 'taken') {
      // What has the stream now knows better why it ended, and tells first.
      setImmediate(() => this.#tell())
      return
    }
    const isOurs = state === 'closing'
    const inOrder = isOurs || (this.#peerEnded && this.#socket.writableFinished)
    if (!inOrder) this.#error ??= this.#hungUp()
    this.#tell()
  }

  #tell(): void {
    this.#inbox.close(this.#error)
    this.#gone.resolve()
  }

  #hungUp(): RpcError {
    return new RpcError('unavailable', `${this.peer.address} closed the connection`, {
      phase: this.#phase(false),
    })
  }
}
