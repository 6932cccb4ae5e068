import { type Detected, detectAmong, maxHeadBytes } from '../core/detect.ts'
import type { Clock } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'
import type { Handler } from '../core/layer.ts'
import type { Limits } from '../core/limits.ts'
import type { Peer } from '../core/peer.ts'
import type { Timed } from '../core/wheel.ts'
import type { Protocol, Room, Session } from '../protocols/protocol.ts'
import type { Wire } from '../transports/transport.ts'
import type { Unwrap } from '../transports/unwrap.ts'
import { showBytes } from './show-bytes.ts'

/** How many connections inside one another are looked at: a client cannot nest them for ever. */
const maxDepth = 3

/** What a connection finds around it, and tells of itself. */
export interface House {
  readonly clock: Clock
  readonly limits: Limits
  readonly handler: Handler
  readonly room: Room
  fellSilent(connection: Connection): void
  spoke(connection: Connection): void
  /** Bytes have come on it, of which it may keep some. */
  mayHold(connection: Connection): void
  recognised(connection: Connection, session: Session): void
  /** It has made its first call. */
  called(connection: Connection): void
  /** Where the calls of a protocol are counted. */
  counterOf(protocol: string): CallCounter
  refused(connection: Connection, why: string, head: ReturnType<typeof showBytes>): void
  trouble(connection: Connection, error: RpcError): void
  left(connection: Connection, reason: RpcError | undefined): void
}

/** Counts calls. */
export interface CallCounter {
  calls: number
}

/** What may be spoken on a connection. */
export interface Spoken {
  readonly protocols: readonly Protocol[]
  readonly unwraps: readonly Unwrap[]
  /** Only what is inside of TLS is listened to. */
  readonly tlsOnly: boolean
}

/**
 * `silent`: it has sent nothing. `begun`: too little to tell what it speaks. `unwrapping`: an Unwrap has it.
 * `serving`: a session has it.
 */
export type ConnectionState = 'silent' | 'begun' | 'unwrapping' | 'serving' | 'closed'

/** One accepted connection, from its first byte to its end. */
export class Connection implements Timed {
  readonly acceptedAt: number
  session: Session | undefined = undefined
  protocol: string | undefined = undefined
  peer: Peer

  // The links of the deadline wheel.
  due = 0
  before: Timed | undefined = undefined
  after: Timed | undefined = undefined
  slot = -1

  // What `HeldBytes` notes of it.
  heldLast = 0
  heldLong = 0
  mayHold = false

  readonly #house: House
  readonly #spoken: Spoken
  #state: ConnectionState = 'silent'
  #wire: Wire
  #head: Uint8Array | undefined = undefined
  #depth = 0
  #called = false

  constructor(wire: Wire, house: House, spoken: Spoken) {
    this.#wire = wire
    this.peer = wire.peer
    this.#house = house
    this.#spoken = spoken
    this.acceptedAt = house.clock.now()
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Bytes that are kept for it: of what has come in part, and what its peer has not taken yet. */
  get held(): number {
    return (this.#head?.length ?? 0) + (this.session?.held ?? 0) + this.#wire.out.queued
  }

  get inFlight(): number {
    return this.session?.inFlight ?? 0
  }

  /** What could be spoken at this point of the connection, for people. */
  spokenNames(): string[] {
    const all = this.#candidates()
    // The others are ways to dial.
    const told = all.filter(({ detect }) => detect !== undefined)
    return (told.length > 0 ? told : all).map(({ name }) => name)
  }

  /** Begins to listen; within the turn in which the wire was accepted. */
  start(): void {
    this.#look(this.#wire)
  }

  /** Ends it now, with all its calls. Resolves when the session has let go of it. */
  async close(reason: RpcError): Promise<void> {
    if (this.session !== undefined) {
      try {
        await this.session.close(reason)
      } catch (thrown) {
        this.#house.trouble(this, RpcError.from(thrown))
      }
    }
    this.hangUp(reason)
  }

  /** Called by the wheel: it has been silent, or undecided, for too long. */
  onDue(): void {
    const { limits } = this.#house
    if (this.#state === 'silent') {
      this.hangUp(new RpcError('deadline_exceeded', `nothing was sent within ${limits.silentTimeoutMs} ms`))
    } else {
      this.#refuse(`the first message was not complete within ${limits.firstMessageTimeoutMs} ms`)
    }
  }

  #look(wire: Wire): void {
    this.#wire = wire
    this.peer = wire.peer
    this.#head = undefined
    this.#state = 'silent'
    wire.onData = (chunk) => this.#onData(chunk)
    wire.onEnd = () => {
      if (this.#state === 'silent') this.hangUp()
      else this.#refuse('it ended before what it speaks could be told')
    }
    wire.onClose = (error) => this.#finish(error)
    wire.onDrain = () => {}
    const only = this.#candidates()
    const [sole] = only
    // A protocol that cannot be told from others by its first bytes has a listener, or an ALPN name, of its own.
    if (only.length === 1 && sole !== undefined && sole.detect === undefined) return this.#handOver(sole)
    this.#arm(this.#house.limits.silentTimeoutMs)
    this.#house.fellSilent(this)
  }

  #candidates(): readonly (Protocol | Unwrap)[] {
    const { protocols, unwraps, tlsOnly } = this.#spoken
    if (tlsOnly && this.#depth === 0) return unwraps.filter((unwrap) => unwrap.name === 'tls')
    const alpn = this.#wire.peer.tls?.alpn
    const named = protocols.find(
      (protocol) => protocol.detect === undefined && alpn !== undefined && protocol.alpn?.includes(alpn),
    )
    if (named !== undefined) return [named]
    return protocols.length === 1 && protocols[0]?.detect === undefined
      ? protocols
      : [...unwraps, ...protocols]
  }

  #onData(chunk: Uint8Array): void {
    if (this.#state === 'silent') {
      this.#state = 'begun'
      this.#house.spoke(this)
      this.#arm(this.#house.limits.firstMessageTimeoutMs)
    } else if (this.#state !== 'begun') return
    this.#hold()
    const head = this.#head === undefined ? chunk : concat(this.#head, chunk)
    const seen = this.#detect(head)
    // The chunk is borrowed: what outlives this turn is a copy.
    const kept = head === chunk ? chunk.slice() : head
    this.#head = kept
    switch (seen.kind) {
      case 'more':
        return
      case 'none':
        return this.#refuse(
          head.length < maxHeadBytes
            ? 'it is nothing that is spoken here'
            : `what it speaks could not be told from ${maxHeadBytes} bytes`,
        )
      case 'found':
        this.#head = undefined
        this.#wire.unread(kept)
        return this.#handOver(seen.found)
    }
  }

  #detect(head: Uint8Array): Detected<Protocol | Unwrap> {
    try {
      return detectAmong(
        this.#candidates(),
        head.length > maxHeadBytes ? head.subarray(0, maxHeadBytes) : head,
      )
    } catch (thrown) {
      this.#house.trouble(this, RpcError.from(thrown))
      return { kind: 'none' }
    }
  }

  #handOver(found: Protocol | Unwrap): void {
    try {
      if ('unwrap' in found) this.#unwrap(found)
      else this.#serve(found)
    } catch (thrown) {
      const error = RpcError.from(thrown)
      this.#house.trouble(this, error)
      this.hangUp(error)
    }
  }

  #unwrap(unwrap: Unwrap): void {
    if (this.#depth === maxDepth)
      return this.#refuse(`there are more than ${maxDepth} connections inside one another`)
    this.#state = 'unwrapping'
    const outer = this.#wire
    unwrap.unwrap(outer, (inner) => {
      if (this.#state !== 'unwrapping' || this.#wire !== outer) return inner.close()
      this.#depth++
      this.#look(inner)
    })
  }

  #serve(protocol: Protocol): void {
    this.#house.clock.deadlines.remove(this)
    this.#house.spoke(this)
    this.#state = 'serving'
    this.protocol = protocol.name
    this.peer = this.#wire.peer = { ...this.#wire.peer, protocol: protocol.name }
    const { handler, room } = this.#house
    const counter = this.#house.counterOf(protocol.name)
    const handlerOf: Handler = (call) => {
      if (!this.#called) this.#house.called(this)
      this.#called = true
      counter.calls++
      return handler(call)
    }
    const session = protocol.accept(this.#wire, handlerOf, room)
    this.session = session
    session.onState = (state, reason) => {
      if (state === 'closed') this.#finish(reason)
    }
    if (session.state === 'closed') return this.#finish()
    const wire = this.#wire
    const read = wire.onData
    wire.onData = (chunk) => {
      if (!this.mayHold) this.#hold()
      read(chunk)
    }
    this.#house.recognised(this, session)
  }

  #hold(): void {
    if (this.#state !== 'closed') this.#house.mayHold(this)
  }

  #refuse(why: string): void {
    this.#house.refused(this, why, showBytes(this.#head ?? new Uint8Array(0)))
    this.hangUp(new RpcError('invalid_argument', why))
  }

  /** Drops the connection at once. Harmless if repeated. */
  hangUp(reason?: RpcError): void {
    if (this.#state === 'closed') return
    const wire = this.#wire
    this.#finish(reason)
    wire.close(reason)
  }

  #finish(reason?: RpcError): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#head = undefined
    this.#house.clock.deadlines.remove(this)
    this.#house.left(this, reason)
  }

  #arm(ms: number): void {
    const { clock } = this.#house
    clock.deadlines.remove(this)
    this.due = clock.now() + ms
    clock.deadlines.add(this)
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
