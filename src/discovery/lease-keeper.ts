import type { Cancel } from '../core/clock.ts'
import { detached } from '../core/context.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import { jitter, randomId } from '../core/random.ts'
import { encodeInstance } from './api/instance-data.ts'
import { defaultTtlMs } from './api/limits.ts'
import { type LostLease, refusals } from './api/messages.ts'
import { readFence, readLost } from './api/read-reply.ts'
import { backoffMs } from './backoff.ts'
import { askRegistry, type RegistryLine, registryTimeoutMs } from './call-registry.ts'
import { Changes } from './changes.ts'
import { Incarnations } from './incarnations.ts'
import { HeldRegistration, type Keeper } from './registration.ts'
import type { DiscoveryRoom } from './source.ts'

/** How long taking back may hold up a server that stops. */
const closeMs = 1_000
/** So often in a row something else is tried at once after a refusal; a registry that refuses on is waited for. */
const maxHurry = 3
/** Saying the same again will not help. */
const refusedForGood: ReadonlySet<string> = new Set([
  'invalid_argument',
  'permission_denied',
  'unauthenticated',
  'unimplemented',
])

/**
 * Keeps one lease for all registrations of a process. One loop does everything, one request after the other: it
 * registers what has changed, renews in between, and after any trouble goes on for ever. What is announced is always
 * said in full, so there is nothing that could be missed while the registry was away.
 */
export class LeaseKeeper implements Keeper {
  readonly #line: RegistryLine
  readonly #room: DiscoveryRoom
  readonly #target: string
  readonly #registrations = new Set<HeldRegistration>()
  readonly #incarnations = new Incarnations()
  readonly #changes = new Changes()
  #lease: string
  /** Grows with each request to register, so that the registry can tell a late one. */
  #incarnation = 0
  /** The registry may know the lease. */
  #sent = false
  /** It has told that it does. */
  #registered = false
  #renewAt = 0
  #failures = 0
  #hurry = 0
  #running = false
  #closed = false
  #wake: () => void = () => {}
  #inFlight: AbortController | undefined

  constructor(line: RegistryLine, room: DiscoveryRoom, target: string) {
    this.#line = line
    this.#room = room
    this.#target = target
    this.#lease = randomId(room.random)
  }

  /** @throws RpcError `invalid_argument` for instances that no registry could take, `unavailable` once closed. */
  add(instances: readonly Instance[], ttlMs: number): HeldRegistration {
    if (this.#closed) throw new RpcError('unavailable', `the registrar for ${this.#target} was closed`)
    const registration = new HeldRegistration(this, instances, ttlMs)
    this.#registrations.add(registration)
    void this.changed()
    return registration
  }

  changed(): Promise<void> {
    const told = this.#changes.add()
    if (this.#running) {
      this.#wake()
    } else {
      this.#running = true
      // The loop belongs to no call, whoever started it.
      detached(() => void this.#run())
    }
    return told
  }

  async remove(registration: HeldRegistration): Promise<void> {
    if (!this.#registrations.delete(registration)) return
    // A request that hangs would hold up the last one.
    this.#inFlight?.abort()
    await withinBound(this.changed(), (fn) => this.#room.clock.after(closeMs, fn))
  }

  /** Closes all registrations; within a second also where the registry does not answer. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#registrations].map((registration) => registration.close()))
  }

  /** Runs as long as there is something to keep or to take back. Never rejects. */
  async #run(): Promise<void> {
    while (this.#registrations.size > 0 || this.#changes.pending) {
      const inFlight = new AbortController()
      this.#inFlight = inFlight
      try {
        await this.#step(inFlight.signal)
      } catch (thrown) {
        if (!inFlight.signal.aborted) await this.#failed(RpcError.from(thrown))
      }
    }
    this.#inFlight = undefined
    this.#running = false
  }

  async #step(signal: AbortSignal): Promise<void> {
    if (this.#registrations.size === 0) return this.#unregister(signal)
    if (!this.#registered || this.#changes.pending) return this.#register(signal)
    const waitMs = this.#renewAt - this.#room.clock.now()
    return waitMs > 0 ? this.#pause(waitMs) : this.#renew(signal)
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { version } = this.#changes
    const sent = [...this.#registrations].map((registration) => ({
      registration,
      said: registration.instances,
      instances: this.#announced(registration),
    }))
    const instances = sent.flatMap((entry) => entry.instances)
    const lease = { id: this.#lease, incarnation: ++this.#incarnation, ttlMs: this.#ttlMs }
    this.#sent = true
    try {
      await this.#ask('register', { lease, instances: instances.map(encodeInstance) }, signal)
    } catch (thrown) {
      const error = RpcError.from(thrown)
      if (!signal.aborted && this.#hurry++ < maxHurry && this.#yields(error)) return
      throw error
    }
    this.#registered = true
    this.#succeeded()
    for (const instance of instances) this.#incarnations.confirm(instance)
    for (const { registration, said } of sent) if (said !== undefined) registration.confirm(said)
    this.#changes.settle(version)
    const ids = instances.map((instance) => instance.id)
    this.#log('info', 'registered', `registered ${ids.join(', ') || 'nothing'}`, { instances: ids })
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const lease = { id: this.#lease, incarnation: this.#incarnation }
    const lost = readLost(await this.#ask('renew', { leases: [lease] }, signal))
    this.#succeeded()
    this.#log('debug', 'renewed', 'renewed the lease', { lease: lease.id })
    for (const one of lost) if (one.id === lease.id) this.#lost(one)
  }

  async #unregister(signal: AbortSignal): Promise<void> {
    const { version } = this.#changes
    const lease = { id: this.#lease, incarnation: this.#incarnation }
    if (this.#sent) {
      await this.#ask('unregister', { lease }, signal, closeMs)
      this.#log('info', 'unregistered', 'took everything back', { lease: lease.id })
    }
    this.#left(version)
  }

  #left(version: number): void {
    this.#sent = false
    this.#registered = false
    this.#failures = 0
    this.#changes.settle(version)
  }

  #lost(lost: LostLease): void {
    if (lost.instances !== undefined) {
      for (const id of lost.instances) this.#superseded(id)
      return
    }
    // Somebody else who has the same lease can only be a copy of this process: part from it.
    if (lost.reason === 'superseded') this.#lease = randomId(this.#room.random)
    this.#registered = false
    const what = `${this.#target} no longer knows the lease; registering again`
    const reason = new RpcError('aborted', what, { reason: refusals.leaseLost })
    this.#log('warn', 'lost', 'no longer knows the lease; registering again', { lease: lost.id })
    for (const registration of this.#registrations) {
      for (const instance of registration.instances ?? []) this.#incarnations.raise(instance)
      this.#tell(registration, reason)
    }
  }

  /** Somebody newer has announced the id. Answering in kind would make the two take it from each other for ever. */
  #superseded(id: string): void {
    this.#incarnations.giveUp(id)
    void this.#changes.add()
    const what = `instance '${id}' was registered by another, newer process; it is no longer announced here`
    const reason = new RpcError('aborted', what, { reason: refusals.superseded })
    this.#log('error', 'superseded', what, { id })
    for (const registration of this.#registrations) {
      if (registration.instances?.some((instance) => instance.id === id)) this.#tell(registration, reason)
    }
  }

  /** A listener that throws must not end the loop. */
  #tell(registration: HeldRegistration, reason: RpcError): void {
    try {
      registration.onLost(reason)
    } catch (error) {
      this.#log('error', 'listener_failed', `onLost threw: ${RpcError.from(error).message}`)
    }
  }

  /** Waits where it may be over later. */
  async #failed(error: RpcError): Promise<void> {
    this.#failures++
    const fields = { lease: this.#lease, code: error.code }
    if (this.#registrations.size === 0 && this.#failures > 1) {
      const what = `cannot be told that this process leaves, its lease will run out: ${error.message}`
      this.#log('warn', 'unregister_failed', what, fields)
      return this.#left(this.#changes.version)
    }
    const level = this.#failures === 1 ? 'warn' : 'debug'
    this.#log(level, 'unreachable', `cannot be told of this process, trying on: ${error.message}`, fields)
    await this.#pause(backoffMs(this.#failures, this.#room.random))
  }

  /** Whether a refusal tells what to say instead, at once. */
  #yields(error: RpcError): boolean {
    if (error.reason === refusals.superseded) return this.#fenced(error)
    return refusedForGood.has(error.code) && this.#refused(error)
  }

  /** Somebody holds one of the ids, or the lease, with a higher incarnation. */
  #fenced(error: RpcError): boolean {
    const { id, held } = readFence(error)
    if (held === undefined) return false
    if (id === undefined) {
      const isBehind = held >= this.#incarnation
      this.#incarnation = Math.max(this.#incarnation, held)
      return isBehind
    }
    // Who comes for the first time is newer than who is there: a process that was started again under its old name.
    if (!this.#incarnations.wasConfirmed(id)) return this.#incarnations.exceed(id, held)
    this.#superseded(id)
    return true
  }

  /** The registry will never take what is new in this: goes on without. */
  #refused(error: RpcError): boolean {
    const changed = [...this.#registrations].filter(
      ({ instances, accepted }) => instances !== undefined && instances !== accepted,
    )
    if (changed.length === 0) return false
    // The newest is the likeliest culprit, and the others should not pay for it.
    const culprits = error.code === 'invalid_argument' ? changed.slice(-1) : changed
    for (const registration of culprits) registration.refuse(error)
    this.#log('error', 'refused', `refused for good: ${error.message}`, { code: error.code })
    this.#changes.reject(error)
    return true
  }

  #succeeded(): void {
    if (this.#failures > 0) this.#log('info', 'recovered', `answers again, after ${this.#failures} failures`)
    this.#failures = 0
    this.#hurry = 0
    this.#renewAt = this.#room.clock.now() + jitter(this.#room.random, this.#ttlMs / 3, 0.1)
  }

  /** The shortest that a registration asked for. */
  get #ttlMs(): number {
    const asked = [...this.#registrations].map((registration) => registration.ttlMs)
    return asked.length === 0 ? defaultTtlMs : Math.min(...asked)
  }

  #announced(registration: HeldRegistration): Instance[] {
    const instances = registration.instances ?? []
    const announced = instances.filter((instance) => !this.#incarnations.isGivenUp(instance.id))
    return announced.map((instance) => ({
      ...instance,
      incarnation: this.#incarnations.of(instance),
      status: registration.draining ? 'draining' : instance.status,
    }))
  }

  #ask(
    method: string,
    request: unknown,
    signal: AbortSignal,
    timeoutMs: number = registryTimeoutMs,
  ): Promise<unknown> {
    // An answer that takes longer than the time between renewals comes too late.
    const inTimeMs = Math.min(timeoutMs, this.#ttlMs / 3)
    return askRegistry(this.#line, method, request, { signal, timeoutMs: inTimeMs })
  }

  /** Waits, but not once something is wanted. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel: Cancel = this.#room.clock.afterInBackground(ms, () => this.#wake())
      this.#wake = () => {
        this.#wake = () => {}
        cancel()
        resolve()
      }
    })
  }

  #log(level: 'debug' | 'info' | 'warn' | 'error', event: string, what: string, fields: object = {}): void {
    const all = { event: `registrar.${event}`, registry: this.#target, ...fields }
    this.#room.logger[level](all, `${this.#target}: ${what}`)
  }
}

/** Resolves when the promise has settled, either way, or when the time is up. */
function withinBound(promise: Promise<void>, after: (fn: () => void) => Cancel): Promise<void> {
  return new Promise((resolve) => {
    const cancel = after(resolve)
    const done = () => {
      cancel()
      resolve()
    }
    promise.then(done, done)
  })
}
