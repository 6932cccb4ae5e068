import { detached } from '../core/context.ts'
import { type Endpoint, formatAddress } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import type { Instance, ServiceEntry } from '../core/instance.ts'
import { compose } from '../core/layer.ts'
import type { Logger } from '../core/log.ts'
import { isInternalName } from '../core/names.ts'
import { randomId } from '../core/random.ts'
import { createRouter, type Router } from '../core/router.ts'
import type { Service } from '../core/service.ts'
import { maxMethods } from '../discovery/api/limits.ts'
import type { DiscoveryRoom } from '../discovery/source.ts'
import type { Protocol, Room } from '../protocols/protocol.ts'
import type { ByteStream, Wire } from '../transports/transport.ts'
import { advertisedEndpoints, needsHost } from './advertise.ts'
import { Announcer } from './announcer.ts'
import type { Spoken } from './connection.ts'
import { Connections } from './connections.ts'
import { guardLogger } from './guard-logger.ts'
import { Grace } from './grace.ts'
import { Listening } from './listening.ts'
import { LogGate } from './log-gate.ts'
import { type ResolvedServeOptions, resolveServeOptions, type ServeOptions } from './options.ts'
import type { ServerParts } from './parts.ts'
import { createRegistrars } from './registrars.ts'
import type { CloseOptions, Server, ServerState, ServerStats } from './server.ts'
import { selectProtocols } from './spoken.ts'
import { CallStats } from './stats.ts'
import { ServerWeight } from './weight.ts'
import { within } from './within.ts'

// What is left of a server when its grace is over gets this long to go by itself.
const closeTimeoutMs = 2_000

/**
 * Makes a server that does not listen yet; `listen()` resolves with it once it does.
 * @throws RpcError `invalid_argument` for options that make no sense, `already_exists` for a service named twice.
 */
export function createServer(
  parts: ServerParts,
  services: readonly Service[],
  options: ServeOptions = {},
): Server & { listen(): Promise<Server> } {
  return new RunningServer(parts, services, resolveServeOptions(options))
}

class RunningServer implements Server {
  readonly id: string
  readonly #parts: ServerParts
  readonly #options: ResolvedServeOptions
  readonly #logger: Logger
  readonly #spoken: Spoken
  readonly #router: Router
  readonly #stats: CallStats
  readonly #connections: Connections
  readonly #listening: Listening
  readonly #announcer: Announcer
  readonly #incarnation: number
  readonly #weight: ServerWeight
  readonly #grace: Grace
  #state: ServerState = 'starting'
  #started: Promise<Server> | undefined
  #drained: Promise<boolean> | undefined
  #closed: Promise<void> | undefined
  #uncooperative = 0
  #updating = false

  constructor(parts: ServerParts, services: readonly Service[], options: ResolvedServeOptions) {
    this.#parts = parts
    this.#options = options
    this.#logger = guardLogger(options.logger ?? parts.logger)
    this.#grace = new Grace(parts.clock)
    this.id = options.id ?? randomId(parts.random)
    this.#incarnation = Math.floor((parts.wallClock ?? Date.now)())
    this.#spoken = {
      protocols: selectProtocols(parts.protocols, options.protocols),
      unwraps: options.tls === undefined ? parts.unwraps : [options.tls, ...parts.unwraps],
      tlsOnly: false,
    }
    this.#router = this.#createRouter(services)
    const room = this.#createRoom()
    this.#stats = new CallStats(parts.clock, (service, method) => this.#isKnown(service, method))
    const { clock } = parts
    const { limits } = options
    const handler = this.#stats.observe(compose(options.layers, this.#router.handler))
    this.#connections = new Connections({ clock, limits, handler, room, logger: this.#logger })
    this.#listening = new Listening({
      transports: parts.transports,
      targets: options.listen,
      spoken: this.#spoken,
      accept: (wire, spoken) => this.#connections.accept(wire, spoken),
    })
    this.#weight = new ServerWeight({
      clock,
      logger: this.#logger,
      weight: options.weight,
      adapt: options.adaptWeight,
      ownLoad: parts.ownLoad,
      changed: () => this.#changed(),
    })
    this.#announcer = new Announcer({
      clock,
      logger: this.#logger,
      registrars: createRegistrars(parts.registrars, options.registry, this.#discoveryRoom()),
      ttlMs: options.ttlMs,
      instance: (seenAs) => this.#instance(seenAs),
      needsHost: needsHost({ listening: options.listen, advertise: options.advertise }),
    })
  }

  get state(): ServerState {
    return this.#state
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints(this.#announcer.seenAs)
  }

  get targets(): readonly string[] {
    return this.#listening.places.map(({ address }) => formatAddress(address))
  }

  get registered(): Promise<void> {
    return this.#announcer.registered
  }

  /** Listens, then registers, which it does not wait for. Rejects if it cannot listen, or is closed meanwhile. */
  listen(): Promise<Server> {
    // What a server does belongs to no call, also where a handler has started it.
    this.#started ??= detached(() => this.#start())
    return this.#started
  }

  add(service: Service): void {
    this.#router.add(service)
    if (this.#state === 'serving') this.#logService(service)
  }

  remove(name: string): boolean {
    const removed = this.#router.remove(name)
    if (removed) this.#logger.info({ event: 'removed', service: name }, `offers ${name} no longer`)
    return removed
  }

  services(): readonly Service[] {
    return this.#router.services()
  }

  get weight(): number {
    return this.#weight.current
  }

  setWeight(weight: number): void {
    this.#weight.set(weight)
  }

  stats(): ServerStats {
    return {
      connections: this.#connections.stats(),
      sessions: this.#connections.sessions(),
      callsBy: this.#connections.callsBy(),
      inFlight: this.#stats.inFlight,
      methods: this.#stats.read(),
      uncooperative: this.#uncooperative,
      registries: this.#announcer.status(),
    }
  }

  accept(connection: Wire | ByteStream): void {
    const wire = isWire(connection) ? connection : this.#parts.wireFrom?.(connection)
    if (wire === undefined)
      throw new RpcError(
        'invalid_argument',
        'accept takes a connection: a socket, a stream of bytes, or a wire',
      )
    detached(() => this.#connections.accept(wire, this.#spoken))
  }

  drain({ graceMs = this.#options.drainTimeoutMs }: CloseOptions = {}): Promise<boolean> {
    this.#grace.shorten(graceMs)
    this.#drained ??= detached(() => this.#drain())
    return this.#drained
  }

  close({ graceMs = this.#options.drainTimeoutMs }: CloseOptions = {}): Promise<void> {
    this.#grace.shorten(graceMs)
    this.#closed ??= detached(() => this.#close())
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #start(): Promise<Server> {
    if (this.#closed !== undefined) throw closedWhileStarting()
    try {
      await this.#listening.open()
      if (this.#closed !== undefined || this.#drained !== undefined) throw closedWhileStarting()
    } catch (thrown) {
      await this.close({ graceMs: 0 })
      throw thrown
    }
    if (this.#state === 'starting') this.#state = 'serving'
    this.#logStart()
    this.#weight.start()
    this.#announcer.start()
    return this
  }

  async #drain(): Promise<boolean> {
    if (this.#state === 'closed') return true
    this.#state = 'draining'
    this.#weight.stop()
    const { clock } = this.#parts
    const { inFlight } = this.#stats
    this.#logger.info(
      { event: 'draining', inFlight },
      `stopping: new calls go elsewhere, ${inFlight} in flight may finish`,
    )
    // The registries first: who learns there in time never meets a refusal.
    const told = await Promise.race([this.#announcer.drain(), this.#grace.over])
    if (told)
      await within(clock, Math.min(this.#options.announceDrainMs, this.#grace.leftMs), () => this.#grace.over)
    await within(clock, closeTimeoutMs, () => this.#listening.close())
    this.#connections.drain()
    return Promise.race([this.#connections.empty().then(() => true), this.#grace.over])
  }

  async #close(): Promise<void> {
    // While it is starting there is nothing to finish; what it opens meanwhile is closed again.
    if (this.#state === 'starting') this.#grace.shorten(0)
    else await this.drain()
    const { clock } = this.#parts
    const left = this.#stats.inFlight
    if (left > 0)
      this.#logger.warn(
        { event: 'cut-off', inFlight: left },
        `${left} calls have not finished in time and are cancelled`,
      )
    const reason = new RpcError('unavailable', 'the server has stopped')
    await Promise.all([
      within(clock, closeTimeoutMs, () => this.#connections.close(reason)),
      within(clock, closeTimeoutMs, () => this.#listening.close()),
      this.#announcer.close(),
    ])
    this.#connections.abandon(reason)
    this.#grace.stop()
    this.#state = 'closed'
    this.#logger.info({ event: 'stopped' }, 'stopped')
  }

  #createRouter(services: readonly Service[]): Router {
    const { bareService, exposeExceptions } = this.#options
    const failures = new LogGate(this.#parts.clock, 1_000)
    const router = createRouter({
      random: this.#parts.random,
      exposeExceptions,
      direct: this.#options.layers.length === 0,
      ...(bareService !== undefined && { bareService }),
      onInternalError: (error, call, correlationId) => {
        // Many, because someone may ask for each by its id; not all, because a caller may repeat it without end.
        failures.pass((leftOut) => {
          const fields = { event: 'failed', method: call.name, peer: call.peer?.address, correlationId }
          const message = `${call.name} threw an error that it does not declare (id ${correlationId})`
          this.#logger.error({ ...fields, err: error, ...leftOut }, message)
        })
      },
    })
    for (const service of services) router.add(service)
    router.onChange = () => this.#changed()
    return router
  }

  #discoveryRoom(): DiscoveryRoom {
    const { clock, random, discoveryRoom } = this.#parts
    const { fetch } = discoveryRoom
    const reach: DiscoveryRoom['reach'] = (endpoints) => discoveryRoom.reach(endpoints)
    return { clock, random, logger: this.#logger, reach, fetch }
  }

  #createRoom(): Room {
    const { clock, random, codecs } = this.#parts
    const gate = new LogGate(clock)
    return {
      clock,
      random,
      codecs,
      limits: this.#options.limits,
      info: (service, method) => this.#router.info(service, method),
      learn: () => {},
      report: (what, fields = {}) => {
        if (fields['event'] === 'uncooperative') this.#uncooperative++
        gate.pass((leftOut) => {
          this.#logger.warn({ event: 'report', code: what.code, ...fields, ...leftOut }, what.message)
        })
      },
    }
  }

  // A peer may name only a method, and then the router looks for it.
  #isKnown(service: string, method: string): boolean {
    if (service === '') return this.services().some(({ methods }) => methods.has(method))
    return this.#router.info(service, method) !== undefined
  }

  // Several changes in one turn are one for the registries.
  #changed(): void {
    if (this.#updating) return
    this.#updating = true
    this.#parts.clock.defer(() => {
      this.#updating = false
      if (this.#state === 'serving') this.#announcer.update()
    })
  }

  #instance(seenAs: string | undefined): Instance {
    const { zone, metadata } = this.#options
    const services = this.services().map(announced)
    return {
      id: this.id,
      incarnation: this.#incarnation,
      services,
      endpoints: this.#endpoints(seenAs),
      weight: this.weight,
      zone,
      metadata,
      // An empty list would say that it may offer anything.
      status: this.#state === 'serving' && services.length > 0 ? 'up' : 'draining',
    }
  }

  #endpoints(seenAs: string | undefined): Endpoint[] {
    return advertisedEndpoints({
      listening: this.#listening.places,
      protocols: this.#told.map((protocol) => protocol.name),
      advertise: this.#options.advertise,
      host: seenAs ?? this.#parts.localAddresses?.()[0] ?? '127.0.0.1',
    })
  }

  // Those that a connection is told to speak by its first bytes; the others are ways to dial.
  get #told(): readonly Protocol[] {
    return this.#spoken.protocols.filter((protocol) => protocol.detect !== undefined)
  }

  #logStart(): void {
    for (const service of this.services()) this.#logService(service)
    const spoken = this.#told.map((protocol) => protocol.name)
    for (const target of this.targets) {
      this.#logger.info(
        { event: 'listening', target, id: this.id, protocols: spoken },
        `listening at ${target} (${spoken.join(', ')})`,
      )
    }
  }

  #logService({ name, version, methods }: Service): void {
    // Every server describes itself; that is no news.
    if (name === 'farcall.meta') return
    const names = [...methods.keys()]
    this.#logger.info(
      { event: 'service', service: name, version, methods: names },
      `offers ${name}: ${names.join(', ')}`,
    )
  }
}

function isWire(connection: Wire | ByteStream): connection is Wire {
  return 'out' in connection && 'onData' in connection
}

function announced({ name, version, methods }: Service): ServiceEntry {
  // Nobody calls Farcall's own services by their methods alone, and a long list costs every watcher.
  const known = !isInternalName(name) && methods.size <= maxMethods
  return {
    name,
    ...(version !== undefined && { version }),
    ...(known && { methods: [...methods.keys()] }),
  }
}

function closedWhileStarting(): RpcError {
  return new RpcError('cancelled', 'the server was closed while it was starting')
}
