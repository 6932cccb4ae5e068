import type { Clock } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'
import type { Handler } from '../core/layer.ts'
import type { Limits } from '../core/limits.ts'
import type { Logger } from '../core/log.ts'
import type { Room, Session } from '../protocols/protocol.ts'
import type { Wire } from '../transports/transport.ts'
import { type CallCounter, Connection, type House, type Spoken } from './connection.ts'
import { HeldBytes } from './held-bytes.ts'
import { LogGate } from './log-gate.ts'
import type { showBytes } from './show-bytes.ts'

/** Counts of connections since the server was made, and now. */
export interface ConnectionStats {
  readonly open: number
  /** Open ones that have never sent anything. */
  readonly silent: number
  readonly accepted: number
  /** Closed because there were too many: at once, or one that had made no call in the place of a new one. */
  readonly turnedAway: number
  /** Closed because nobody could tell what they speak. */
  readonly unrecognised: number
}

export interface ConnectionsOptions {
  readonly clock: Clock
  readonly limits: Limits
  readonly handler: Handler
  readonly room: Room
  readonly logger: Logger
}

/** All connections of a server. */
export class Connections implements House {
  readonly clock: Clock
  readonly limits: Limits
  readonly handler: Handler
  readonly room: Room
  readonly #logger: Logger
  readonly #gate: LogGate
  readonly #all = new Set<Connection>()
  // In the order in which they fell silent: the first is the oldest.
  readonly #silent = new Set<Connection>()
  // Those that have not made a call yet, the oldest first.
  readonly #uncalled = new Set<Connection>()
  readonly #held: HeldBytes
  readonly #counters = new Map<string, CallCounter>()
  #accepted = 0
  #turnedAway = 0
  #unrecognised = 0
  #draining = false
  #closed: RpcError | undefined = undefined
  #onEmpty: (() => void)[] = []

  constructor(options: ConnectionsOptions) {
    this.clock = options.clock
    this.limits = options.limits
    this.handler = options.handler
    this.room = options.room
    this.#logger = options.logger
    this.#gate = new LogGate(options.clock)
    this.#held = new HeldBytes(options.clock, options.limits)
  }

  /** Takes a connection in. It never throws: a bad connection is nobody else's trouble. */
  accept(wire: Wire, spoken: Spoken): void {
    this.#accepted++
    if (this.#closed !== undefined) return wire.close(this.#closed)
    if (this.#all.size >= this.limits.maxConnections && !this.#makeRoom()) return this.#turnAway(wire)
    const connection = new Connection(wire, this, spoken)
    this.#all.add(connection)
    this.#uncalled.add(connection)
    connection.start()
  }

  stats(): ConnectionStats {
    return {
      open: this.#all.size,
      silent: this.#silent.size,
      accepted: this.#accepted,
      turnedAway: this.#turnedAway,
      unrecognised: this.#unrecognised,
    }
  }

  /** How many sessions there are of each protocol. */
  sessions(): Record<string, number> {
    const counts = new Map<string, number>()
    for (const { protocol } of this.#all)
      if (protocol !== undefined) counts.set(protocol, (counts.get(protocol) ?? 0) + 1)
    return Object.fromEntries(counts)
  }

  /** How many calls were made by each protocol. */
  callsBy(): Record<string, number> {
    return Object.fromEntries([...this.#counters].map(([protocol, { calls }]) => [protocol, calls]))
  }

  /** Sessions take no new calls and end when theirs have ended; so does any that begins from now on. */
  drain(): void {
    if (this.#draining) return
    this.#draining = true
    for (const connection of this.#all) {
      if (connection.state === 'silent') void connection.close(stopping())
      else if (connection.session !== undefined) this.#drain(connection, connection.session)
    }
  }

  /** Resolves when no connection is left. */
  empty(): Promise<void> {
    if (this.#all.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onEmpty.push(resolve))
  }

  /** Ends all connections now, with their calls, and takes in no more. Resolves when their sessions let go of them. */
  async close(reason: RpcError): Promise<void> {
    this.#closed ??= reason
    this.#held.stop()
    await Promise.all([...this.#all].map((connection) => connection.close(reason)))
  }

  /** Drops what a session did not let go of. */
  abandon(reason: RpcError): void {
    for (const connection of this.#all) connection.hangUp(reason)
  }

  fellSilent(connection: Connection): void {
    if (this.#draining) return void connection.close(stopping())
    this.#silent.add(connection)
    if (this.#silent.size <= this.limits.maxSilentConnections) return
    const [oldest] = this.#silent
    const most = this.limits.maxSilentConnections
    void oldest?.close(
      new RpcError('resource_exhausted', `more than ${most} connections have never sent anything`),
    )
  }

  mayHold(connection: Connection): void {
    this.#held.watch(connection)
  }

  spoke(connection: Connection): void {
    this.#silent.delete(connection)
  }

  recognised(connection: Connection, session: Session): void {
    const { peer, protocol } = connection
    const fields = { event: 'connected', peer: peer.address, transport: peer.transport, protocol }
    this.#logger.info(fields, `${peer.address} connected and speaks ${protocol}`)
    if (this.#draining) this.#drain(connection, session)
  }

  counterOf(protocol: string): CallCounter {
    const known = this.#counters.get(protocol)
    if (known !== undefined) return known
    const made = { calls: 0 }
    this.#counters.set(protocol, made)
    return made
  }

  called(connection: Connection): void {
    this.#uncalled.delete(connection)
  }

  refused(connection: Connection, why: string, head: ReturnType<typeof showBytes>): void {
    this.#unrecognised++
    const { peer } = connection
    const spoken = connection.spokenNames()
    this.#gate.pass((leftOut) => {
      const fields = {
        event: 'refused',
        peer: peer.address,
        transport: peer.transport,
        ...head,
        spoken,
        ...leftOut,
      }
      const shown = head.bytes === 0 ? 'nothing' : `'${head.text}' (${head.hex})`
      this.#logger.warn(
        fields,
        `${peer.address} was refused: ${why}; it sent ${shown}; spoken here: ${spoken.join(', ')}`,
      )
    })
  }

  trouble(connection: Connection, error: RpcError): void {
    const { address } = connection.peer
    this.#gate.pass((leftOut) => {
      const fields = { event: 'broken', peer: address, protocol: connection.protocol, err: error, ...leftOut }
      this.#logger.error(fields, `the connection of ${address} failed: ${error.message}`)
    })
  }

  left(connection: Connection, reason: RpcError | undefined): void {
    this.#all.delete(connection)
    this.#held.forget(connection)
    this.#silent.delete(connection)
    this.#uncalled.delete(connection)
    this.#logLeft(connection, reason)
    if (this.#all.size > 0) return
    const waiting = this.#onEmpty
    this.#onEmpty = []
    for (const resolve of waiting) resolve()
  }

  #logLeft(connection: Connection, reason: RpcError | undefined): void {
    const { peer, protocol, acceptedAt } = connection
    const durationMs = Math.round(this.clock.now() - acceptedAt)
    const fields = { peer: peer.address, transport: peer.transport, protocol, durationMs }
    if (protocol === undefined) {
      const why = reason?.message ?? 'it ended before it said anything'
      this.#logger.debug({ event: 'closed', ...fields }, `${peer.address} closed: ${why}`)
    } else if (reason === undefined || this.#draining) {
      this.#logger.info({ event: 'closed', ...fields }, `${peer.address} closed`)
    } else {
      this.#gate.pass((leftOut) => {
        const all = { event: 'broken', ...fields, code: reason.code, ...leftOut }
        this.#logger.warn(all, `${peer.address} broke off: ${reason.message}`)
      })
    }
  }

  #drain(connection: Connection, session: Session): void {
    try {
      session.drain()
    } catch (thrown) {
      this.trouble(connection, RpcError.from(thrown))
      void connection.close(stopping())
    }
  }

  /** Gives up the oldest that has never called: thousands that begin and do not go on must not keep others out. */
  #makeRoom(): boolean {
    const [oldest] = this.#uncalled
    if (oldest === undefined) return false
    this.#turnedAway++
    const most = this.limits.maxConnections
    oldest.hangUp(
      new RpcError(
        'resource_exhausted',
        `${most} connections are open, the most allowed (maxConnections), and this one has made no call`,
      ),
    )
    return true
  }

  #turnAway(wire: Wire): void {
    this.#turnedAway++
    const most = this.limits.maxConnections
    this.#gate.pass((leftOut) => {
      const fields = { event: 'refused', peer: wire.peer.address, maxConnections: most, ...leftOut }
      this.#logger.warn(
        fields,
        `${wire.peer.address} was refused: ${most} connections are open, the most allowed (maxConnections)`,
      )
    })
    wire.close(new RpcError('resource_exhausted', `the server has ${most} connections, the most allowed`))
  }
}

function stopping(): RpcError {
  return new RpcError('unavailable', 'the server is stopping')
}
