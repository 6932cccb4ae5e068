import type { Clock } from '../core/clock.ts'
import { formatEndpoint } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { Logger } from '../core/log.ts'
import { showPlaces } from '../core/places.ts'
import type { Registrar, Registration } from '../discovery/registrar.ts'
import { within } from './within.ts'

// A registry that answers at all does so in milliseconds; a stopping server waits no longer for one that does not.
const answerTimeoutMs = 1_000
const closeTimeoutMs = 2_000

export interface AnnouncerOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly registrars: readonly NamedRegistrar[]
  readonly ttlMs: number
  /** What to announce now. `seenAs` is how the registry sees this machine, where that matters and is known. */
  instance(seenAs: string | undefined): Instance
  /** Whether `instance` wants to know it. */
  readonly needsHost: boolean
}

export interface NamedRegistrar {
  /** As the user wrote it. */
  readonly target: string
  readonly registrar: Registrar & Partial<AsyncDisposable>
}

/**
 * How a server stands with one of its registries. `registering`: it has not been taken yet. `failing`: the registry does
 * not answer, or not well; it is told again and again. `refused`: it does not take the server, for good.
 */
export interface RegistryStatus {
  /** As the user wrote it. */
  readonly target: string
  readonly state: 'registering' | 'registered' | 'failing' | 'refused'
  /** Why, of the last two. */
  readonly reason?: string
}

/** Keeps a server announced in all its registries. None of them can hold it up or make it fail. */
export class Announcer {
  /** Resolves when every registry has the server; rejects if one refuses it for good, or it is closed before. */
  readonly registered: Promise<void>
  readonly #clock: Clock
  readonly #registrars: readonly NamedRegistrar[]
  readonly #places: readonly Place[]

  constructor(options: AnnouncerOptions) {
    this.#clock = options.clock
    this.#registrars = options.registrars
    this.#places = options.registrars.map((named) => new Place(named, options))
    this.registered = Promise.all(this.#places.map((place) => place.ready)).then(() => {})
    // Whoever wants to know waits for it; nobody has to.
    this.registered.catch(() => {})
  }

  /** How the first registry that could tell sees this machine. */
  get seenAs(): string | undefined {
    return this.#places.find((place) => place.seenAs !== undefined)?.seenAs
  }

  /** How things stand in each of the registries. */
  status(): RegistryStatus[] {
    return this.#places.map((place) => place.status())
  }

  start(): void {
    for (const place of this.#places) place.start()
  }

  /** What is announced has changed. */
  update(): void {
    for (const place of this.#places) place.update()
  }

  /** Says in every registry that has the server that it drains. Resolves with whether any of them took notice. */
  async drain(): Promise<boolean> {
    const answers = await Promise.all(this.#places.map((place) => place.drain()))
    return answers.includes(true)
  }

  /** Leaves every registry, within a bounded time. */
  async close(): Promise<void> {
    await Promise.all(this.#places.map((place) => place.close()))
    const left = this.#registrars.map(({ registrar }) =>
      within(this.#clock, closeTimeoutMs, () => registrar[Symbol.asyncDispose]?.()),
    )
    await Promise.all(left)
  }
}

/** The server in one registry. */
class Place {
  readonly ready: Promise<void>
  seenAs: string | undefined
  readonly #named: NamedRegistrar
  readonly #options: AnnouncerOptions
  readonly #settle: PromiseWithResolvers<void> = Promise.withResolvers()
  readonly #ended = new AbortController()
  #registration: Registration | undefined
  #known = false
  #refusal: RpcError | undefined

  constructor(named: NamedRegistrar, options: AnnouncerOptions) {
    this.#named = named
    this.#options = options
    this.ready = this.#settle.promise
    this.ready.catch(() => {})
  }

  status(): RegistryStatus {
    const { target } = this.#named
    const { trouble, taken = this.#known } = this.#registration ?? {}
    if (trouble !== undefined) return { target, state: 'failing', reason: trouble.message }
    if (taken) return { target, state: 'registered' }
    if (this.#refusal !== undefined) return { target, state: 'refused', reason: this.#refusal.message }
    return { target, state: 'registering' }
  }

  start(): void {
    this.#start().catch((thrown) => this.#refused(RpcError.from(thrown)))
  }

  update(): void {
    this.#registration
      ?.update([this.#instance()])
      .catch((thrown) => this.#log('warn', 'refused', `was not told of a change`, RpcError.from(thrown)))
  }

  async drain(): Promise<boolean> {
    const registration = this.#registration
    if (registration === undefined) return false
    const told = within(this.#options.clock, answerTimeoutMs, () => registration.drain())
    // A registry that never had us has nobody to tell.
    return this.#known && (await told) === 'done'
  }

  async close(): Promise<void> {
    const reason = new RpcError(
      'cancelled',
      `the server was closed before it was registered at ${this.#named.target}`,
    )
    this.#ended.abort(reason)
    this.#settle.reject(reason)
    const registration = this.#registration
    if (registration === undefined) return
    const how = await within(this.#options.clock, closeTimeoutMs, () => registration.close())
    if (how === 'done' && this.#known) this.#log('debug', 'unregistered', 'no longer has this server')
    else if (this.#known)
      this.#log('warn', 'unregistered', 'was not told that this server is gone; its lease will run out')
  }

  async #start(): Promise<void> {
    if (this.#options.needsHost) this.seenAs = await this.#askHost()
    if (this.#ended.signal.aborted) return
    const { registrar } = this.#named
    const registration = registrar.register([this.#instance()], { ttlMs: this.#options.ttlMs })
    this.#registration = registration
    registration.onLost = (reason) =>
      this.#log('warn', 'lost', 'has lost this server; registering again', reason)
    await registration.ready
    this.#known = true
    this.#settle.resolve()
    const endpoints = this.#instance().endpoints.map(formatEndpoint)
    const { target } = this.#named
    this.#options.logger.info(
      { event: 'registered', registry: target, endpoints },
      `the registry ${target} has this server as ${showPlaces(endpoints)}`,
    )
    if (this.#options.needsHost && this.seenAs === undefined) await this.#correctHost()
  }

  // The registry could not be asked when the server started, but is there now.
  async #correctHost(): Promise<void> {
    this.seenAs = await this.#askHost()
    if (this.seenAs !== undefined && !this.#ended.signal.aborted) this.update()
  }

  async #askHost(): Promise<string | undefined> {
    let host: string | undefined
    await within(this.#options.clock, answerTimeoutMs, async () => {
      host = await this.#named.registrar.localHost?.(this.#ended.signal)
    })
    return host
  }

  #instance(): Instance {
    return this.#options.instance(this.seenAs)
  }

  #refused(error: RpcError): void {
    this.#refusal = error
    this.#settle.reject(error)
    if (!this.#ended.signal.aborted) this.#log('error', 'refused', 'does not take this server', error)
  }

  // A registrar tells by itself of its troubles on the way to the registry.
  #log(level: 'debug' | 'warn' | 'error', event: string, what: string, error?: RpcError): void {
    const fields = { event, registry: this.#named.target, ...(error && { code: error.code }) }
    const why = error === undefined ? '' : `: ${error.message}`
    this.#options.logger[level](fields, `the registry ${this.#named.target} ${what}${why}`)
  }
}
