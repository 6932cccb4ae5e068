import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import { jitter, randomId } from '../core/random.ts'
import { encodeInstance } from './api/instance-data.ts'
import { defaultTtlMs } from './api/limits.ts'
import { type LostLease, refusals } from './api/messages.ts'
import { readFence, readLost } from './api/read-reply.ts'
import { askRegistry, type RegistryLine, registryTimeoutMs } from './call-registry.ts'
import { Incarnations } from './incarnations.ts'
import { closeMs, KeeperLoop, refusedForGood } from './keeper-loop.ts'
import type { HeldRegistration } from './registration.ts'
import type { DiscoveryRoom } from './source.ts'

/** So often in a row something else is tried at once after a refusal; a registry that refuses on is waited for. */
const maxHurry = 3
/**
 * Keeps one lease for all registrations of a process: registers what has changed, and renews in between. What is
 * announced is always said in full, so there is nothing that could be missed while the registry was away.
 */
export class LeaseKeeper {
  readonly #line: RegistryLine
  readonly #room: DiscoveryRoom
  readonly #target: string
  readonly #incarnations = new Incarnations()
  readonly #loop: KeeperLoop
  #lease: string
  /** Grows with each request to register, so that the registry can tell a late one. */
  #incarnation = 0
  /** The registry may know the lease. */
  #sent = false
  /** It has told that it does. */
  #registered = false
  #renewAt = 0
  #hurry = 0

  constructor(line: RegistryLine, room: DiscoveryRoom, target: string) {
    this.#line = line
    this.#room = room
    this.#target = target
    this.#lease = randomId(room.random)
    this.#loop = new KeeperLoop(room, target, {
      step: (signal) => this.#step(signal),
      failed: (error) => this.#failed(error),
    })
  }

  /** @throws RpcError `invalid_argument` for instances that no registry could take, `unavailable` once closed. */
  add(instances: readonly Instance[], ttlMs: number): HeldRegistration {
    return this.#loop.add(instances, ttlMs)
  }

  /** Closes all registrations; within a second also where the registry does not answer. */
  close(): Promise<void> {
    return this.#loop.close()
  }

  async #step(signal: AbortSignal): Promise<void> {
    if (this.#loop.registrations.size === 0) return this.#unregister(signal)
    if (!this.#registered || this.#loop.changes.pending) return this.#register(signal)
    const waitMs = this.#renewAt - this.#room.clock.now()
    return waitMs > 0 ? this.#loop.pause(waitMs) : this.#renew(signal)
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { version } = this.#loop.changes
    const sent = [...this.#loop.registrations].map((registration) => ({
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
    this.#loop.changes.settle(version)
    const ids = instances.map((instance) => instance.id)
    this.#loop.log('info', 'registered', `registered ${ids.join(', ') || 'nothing'}`, { instances: ids })
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const lease = { id: this.#lease, incarnation: this.#incarnation }
    const lost = readLost(await this.#ask('renew', { leases: [lease] }, signal))
    this.#succeeded()
    this.#loop.log('debug', 'renewed', 'renewed the lease', { lease: lease.id })
    for (const one of lost) if (one.id === lease.id) this.#lost(one)
  }

  async #unregister(signal: AbortSignal): Promise<void> {
    const { version } = this.#loop.changes
    const lease = { id: this.#lease, incarnation: this.#incarnation }
    if (this.#sent) {
      await this.#ask('unregister', { lease }, signal, closeMs)
      this.#loop.log('info', 'unregistered', 'took everything back', { lease: lease.id })
    }
    this.#left(version)
  }

  #left(version: number): void {
    this.#sent = false
    this.#registered = false
    this.#loop.forget()
    this.#loop.changes.settle(version)
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
    this.#loop.log('warn', 'lost', 'no longer knows the lease; registering again', { lease: lost.id })
    for (const registration of this.#loop.registrations) {
      for (const instance of registration.instances ?? []) this.#incarnations.raise(instance)
      this.#loop.tellLost(registration, reason)
    }
  }

  /** Somebody newer has announced the id. Answering in kind would make the two take it from each other for ever. */
  #superseded(id: string): void {
    this.#incarnations.giveUp(id)
    void this.#loop.changes.add()
    const what = `instance '${id}' was registered by another, newer process; it is no longer announced here`
    const reason = new RpcError('aborted', what, { reason: refusals.superseded })
    this.#loop.log('error', 'superseded', what, { id })
    for (const registration of this.#loop.registrations) {
      if (registration.instances?.some((instance) => instance.id === id))
        this.#loop.tellLost(registration, reason)
    }
  }

  async #failed(error: RpcError): Promise<void> {
    const fields = { lease: this.#lease, code: error.code }
    if (this.#loop.registrations.size > 0 || this.#loop.failures === 0) {
      return this.#loop.tryLater(error, { fields })
    }
    const what = `cannot be told that this process leaves, its lease will run out: ${error.message}`
    this.#loop.log('warn', 'unregister_failed', what, fields)
    this.#left(this.#loop.changes.version)
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
    const changed = [...this.#loop.registrations].filter(
      ({ instances, accepted }) => instances !== undefined && instances !== accepted,
    )
    if (changed.length === 0) return false
    // The newest is the likeliest culprit, and the others should not pay for it.
    const culprits = error.code === 'invalid_argument' ? changed.slice(-1) : changed
    for (const registration of culprits) registration.refuse(error)
    this.#loop.log('error', 'refused', `refused for good: ${error.message}`, { code: error.code })
    this.#loop.changes.reject(error)
    return true
  }

  #succeeded(): void {
    this.#loop.succeeded()
    this.#hurry = 0
    this.#renewAt = this.#room.clock.now() + jitter(this.#room.random, this.#ttlMs / 3, 0.1)
  }

  /** The shortest that a registration asked for. */
  get #ttlMs(): number {
    const asked = [...this.#loop.registrations].map((registration) => registration.ttlMs)
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
}
