import type { Clock } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import { type Random, randomId } from '../core/random.ts'
import type { LeaseRef, LostLease, RegisterReply } from '../discovery/api/messages.ts'
import { refusals } from '../discovery/api/messages.ts'
import { Bell } from './bell.ts'
import type { RegistryEvent } from './events.ts'
import { Fences } from './fences.ts'
import { type Held, hold, isSame } from './held.ts'
import { type HeldChange, History } from './history.ts'
import { createLease, dueAt, forgive, type Lease, type LeaseTerms, setTerms, touch } from './lease.ts'
import { type RegistryOptions, type ResolvedRegistryOptions, resolveRegistryOptions } from './options.ts'
import { findSilence, isImplausible, RecentDrops, type Silence } from './preserve.ts'
import { Views } from './views.ts'

export interface StoreRoom {
  readonly clock: Clock
  readonly random: Random
  /** Told of all that happens, while it happens; it must not throw. */
  readonly onEvent?: (event: RegistryEvent) => void
}

/**
 * Who is registered: instances by id, each under the lease of its process. Synchronous, and without timers: whoever
 * owns it calls {@link sweep} again and again. What it is given has been checked (see `requests.ts`).
 *
 * Each request either happens in full, as one step that watchers see whole, or is refused and changes nothing.
 * Repeating one changes nothing.
 */
export class RegistryStore {
  readonly options: ResolvedRegistryOptions
  readonly clock: Clock
  readonly views: Views
  readonly bell: Bell
  /** Which life of the registry this is: random, because it remembers nothing of an earlier one. */
  readonly epoch: string

  readonly #onEvent: (event: RegistryEvent) => void
  readonly #held = new Map<string, Held>()
  readonly #leases = new Map<string, Lease>()
  readonly #history: History
  readonly #fences: Fences
  readonly #drops = new RecentDrops()
  #order = 0
  /** Before this no lease is due: renewing only puts that off, so until then there is nothing to look for. */
  #nothingDueBefore = Number.POSITIVE_INFINITY
  #preserving = false
  #implausibleAt = Number.NEGATIVE_INFINITY

  constructor(room: StoreRoom, given: RegistryOptions = {}) {
    this.options = resolveRegistryOptions(given)
    this.clock = room.clock
    this.epoch = randomId(room.random)
    this.#onEvent = room.onEvent ?? (() => {})
    this.#history = new History(this.options.maxHistory, this.options.historyMs)
    this.#fences = new Fences(this.options.maxHistory, this.options.historyMs)
    this.views = new Views({ epoch: this.epoch, history: this.#history, held: this.#held })
    this.bell = new Bell(room.clock, this.options.quietMs)
  }

  /** Instances that are registered. */
  get size(): number {
    return this.#held.size
  }

  get leases(): number {
    return this.#leases.size
  }

  get revision(): string {
    return this.views.revision
  }

  /** Whether instances that went silent are being kept because too many did so at once. */
  get preserving(): boolean {
    return this.#preserving
  }

  get(id: string): Instance | undefined {
    return this.#held.get(id)?.instance
  }

  /** All that are registered, in the order in which they came. */
  *instances(): IterableIterator<Instance> {
    for (const { instance } of this.#held.values()) yield instance
  }

  /**
   * From now on the lease holds exactly these instances.
   * @throws RpcError `aborted` with the reason `superseded` if somebody newer has the lease or one of the instances
   * (`details` has its incarnation), `lease_lost` if it was given back, or is only to be updated and is not there;
   * `resource_exhausted` if the registry is full.
   */
  register(ref: LeaseRef & LeaseTerms, instances: readonly Instance[]): RegisterReply {
    return this.#put(ref, instances, false)
  }

  /** The same for a lease that must be there. */
  update(ref: LeaseRef & LeaseTerms, instances: readonly Instance[]): RegisterReply {
    return this.#put(ref, instances, true)
  }

  /** Keeps leases alive; tells of those for which that is not all. */
  renew(refs: readonly LeaseRef[]): LostLease[] {
    const now = this.clock.now()
    const lost: LostLease[] = []
    const changes: HeldChange[] = []
    for (const ref of refs) {
      const lease = this.#leases.get(ref.id)
      // An incarnation that was never heard of: what it registered got lost.
      if (lease === undefined || ref.incarnation > lease.incarnation) {
        lost.push({ id: ref.id, reason: 'unknown' })
      } else if (ref.incarnation < lease.incarnation) {
        lost.push({ id: ref.id, reason: 'superseded' })
      } else {
        this.#touch(lease, now, changes)
        if (lease.taken.size > 0) lost.push({ id: ref.id, reason: 'superseded', instances: [...lease.taken] })
        this.#onEvent({ type: 'renewed', lease: lease.id, instances: lease.instances.size })
      }
    }
    this.#commit(changes, now)
    return lost
  }

  /**
   * Marks instances of a lease (default all) as taking no new calls; the owner's next registration says again what
   * they are.
   * @throws RpcError as {@link update}.
   */
  drain(ref: LeaseRef, ids?: readonly string[]): void {
    const lease = this.#owned(ref)
    const now = this.clock.now()
    const changes: HeldChange[] = []
    for (const id of ids ?? lease.instances) {
      const before = this.#held.get(id)
      if (before?.lease !== lease || before.instance.status === 'draining') continue
      const after = this.#replace(before, { ...before.instance, status: 'draining' })
      changes.push({ id, before, after })
      this.#onEvent({ type: 'drained', lease: lease.id, instance: after.instance })
    }
    this.#commit(changes, now)
  }

  /**
   * Takes instances of a lease (default all, and then the lease too) out. Nothing to take out is no error.
   * @throws RpcError `aborted` with the reason `superseded` if somebody newer has the lease.
   */
  unregister(ref: LeaseRef, ids?: readonly string[]): void {
    const now = this.clock.now()
    const lease = this.#leases.get(ref.id)
    if (lease !== undefined && ref.incarnation < lease.incarnation) throw superseded(lease)
    // A registration that was sent before and comes after must not bring it back.
    if (ids === undefined) this.#fences.add(ref.id, Math.max(ref.incarnation, lease?.incarnation ?? 0), now)
    if (lease === undefined) return
    const own = ids === undefined ? [...lease.instances] : ids.filter((id) => lease.instances.has(id))
    const changes = own.map((id) => this.#remove(id, 'unregistered', now))
    if (ids === undefined) this.#leases.delete(lease.id)
    this.#commit(changes, now)
  }

  /**
   * Takes out what was not renewed in time. `expectedAt` is when this should have been called: if the whole registry
   * stood still until later, the leases get that time back, because their owners could not be heard.
   */
  sweep(expectedAt: number = this.clock.now()): void {
    const now = this.clock.now()
    const latenessMs = now - expectedAt
    if (latenessMs > this.options.sweepMs * 2) this.#forgive(latenessMs)
    this.#history.trim(now)
    this.#fences.trim(now)
    if (now < this.#nothingDueBefore) {
      this.#preserving = false
      return
    }
    const silence = findSilence(this.#leases.values(), now, this.#drops.count(now))
    this.#nothingDueBefore = silence.nextDueAt
    this.#judge(silence, now)
    const changes: HeldChange[] = []
    for (const lease of silence.due) {
      // When a network heals, its owners come back over the time of a renewal: the last ones are spared too.
      const isSpared = now - this.#implausibleAt < lease.ttlMs
      if (isSpared && now - (lease.suspectSince ?? now) < this.options.suspectMs) {
        this.#suspect(lease, now, changes)
        continue
      }
      this.#drops.add(lease.instances.size, now + lease.ttlMs)
      for (const id of lease.instances) changes.push(this.#remove(id, 'expired', now))
      this.#leases.delete(lease.id)
    }
    this.#commit(changes, now)
  }

  #judge(silence: Silence, now: number): void {
    const wasPreserving = this.#preserving
    if (silence.due.length > 0 && isImplausible(silence, this.options)) {
      this.#implausibleAt = now
      this.#preserving = true
      if (!wasPreserving) {
        this.#onEvent({ type: 'preserving', silent: silence.silent, known: silence.known })
      }
    } else if (silence.due.length === 0) this.#preserving = false
  }

  #put(ref: LeaseRef & LeaseTerms, instances: readonly Instance[], mustExist: boolean): RegisterReply {
    const now = this.clock.now()
    const known = this.#leases.get(ref.id)
    try {
      this.#admit(ref, known, instances, mustExist)
    } catch (error) {
      this.#onEvent({ type: 'refused', lease: ref.id, error: RpcError.from(error) })
      throw error
    }
    const lease = known ?? createLease(ref.id)
    this.#leases.set(lease.id, lease)
    lease.incarnation = ref.incarnation
    setTerms(lease, ref)
    lease.taken.clear()
    const changes: HeldChange[] = []
    lease.suspectSince = undefined
    touch(lease, now)
    this.#nothingDueBefore = Math.min(this.#nothingDueBefore, dueAt(lease))
    const kept = new Set(instances.map((instance) => instance.id))
    for (const id of lease.instances) if (!kept.has(id)) changes.push(this.#remove(id, 'unregistered', now))
    for (const instance of instances) this.#add(instance, lease, now, changes)
    this.#commit(changes, now)
    return { revision: this.revision, ttlMs: lease.ttlMs }
  }

  /** Throws if the request must not happen; nothing has changed then. */
  #admit(ref: LeaseRef, known: Lease | undefined, instances: readonly Instance[], mustExist: boolean): void {
    if (known === undefined) {
      if (mustExist || this.#fences.holds(ref.id, ref.incarnation)) throw leaseLost(ref)
      if (this.#leases.size >= this.options.maxInstances) throw full('leases', this.options.maxInstances)
    } else if (ref.incarnation < known.incarnation) {
      throw superseded(known)
    }
    let added = 0
    for (const instance of instances) {
      const held = this.#held.get(instance.id)
      if (held === undefined) added++
      else if (
        held.lease === known
          ? instance.incarnation < held.instance.incarnation
          : instance.incarnation <= held.instance.incarnation
      ) {
        throw instanceSuperseded(held.instance)
      }
    }
    if (added > 0 && this.#held.size + added > this.options.maxInstances)
      throw full('instances', this.options.maxInstances)
  }

  #add(instance: Instance, lease: Lease, now: number, changes: HeldChange[]): void {
    const before = this.#held.get(instance.id)
    // Whether it is suspect is for the registry to say.
    const said: Instance = instance.suspect === undefined ? instance : { ...instance, suspect: false }
    const after = hold(said, lease, before?.order ?? ++this.#order)
    if (before !== undefined && before.lease !== lease) {
      before.lease.instances.delete(instance.id)
      before.lease.taken.add(instance.id)
      const lastSeenMs = now - before.lease.seenAt
      this.#onEvent({ type: 'superseded', lease: before.lease.id, instance: before.instance, lastSeenMs })
    } else if (before !== undefined && isSame(before.data, after.data)) return
    lease.instances.add(instance.id)
    this.#held.set(instance.id, after)
    changes.push({ id: instance.id, before, after })
    const drained = before?.instance.status === 'up' && instance.status === 'draining'
    const type = drained ? 'drained' : before?.lease === lease ? 'updated' : 'registered'
    this.#onEvent({ type, lease: lease.id, instance: after.instance })
  }

  #remove(id: string, reason: 'expired' | 'unregistered', now: number): HeldChange {
    const before = this.#held.get(id) as Held
    const { lease } = before
    const lastSeenMs = now - lease.seenAt
    this.#held.delete(id)
    lease.instances.delete(id)
    this.#onEvent({ type: reason, lease: lease.id, instance: before.instance, lastSeenMs })
    return { id, before, after: undefined, reason, lastSeenMs }
  }

  #replace(before: Held, instance: Instance): Held {
    const after = hold(Object.freeze(instance), before.lease, before.order)
    this.#held.set(instance.id, after)
    return after
  }

  #touch(lease: Lease, now: number, changes: HeldChange[]): void {
    touch(lease, now)
    if (lease.suspectSince === undefined) return
    lease.suspectSince = undefined
    this.#mark(lease, false, changes)
  }

  #suspect(lease: Lease, now: number, changes: HeldChange[]): void {
    if (lease.suspectSince !== undefined) return
    lease.suspectSince = now
    const lastSeenMs = now - lease.seenAt
    for (const instance of this.#mark(lease, true, changes)) {
      this.#onEvent({ type: 'suspected', lease: lease.id, instance, lastSeenMs })
    }
  }

  #mark(lease: Lease, suspect: boolean, changes: HeldChange[]): Instance[] {
    return [...lease.instances].map((id) => {
      const before = this.#held.get(id) as Held
      const after = this.#replace(before, { ...before.instance, suspect })
      changes.push({ id, before, after })
      return after.instance
    })
  }

  #forgive(latenessMs: number): void {
    for (const lease of this.#leases.values()) forgive(lease, latenessMs)
    this.#onEvent({ type: 'paused', latenessMs })
  }

  #owned(ref: LeaseRef): Lease {
    const lease = this.#leases.get(ref.id)
    if (lease === undefined) throw leaseLost(ref)
    if (ref.incarnation < lease.incarnation) throw superseded(lease)
    return lease
  }

  #commit(changes: readonly HeldChange[], now: number): void {
    if (changes.length === 0) return
    this.#history.add(changes, now)
    this.views.clear()
    this.bell.ring()
  }
}

function leaseLost(ref: LeaseRef): RpcError {
  const message = `lease '${ref.id}' is unknown or was given back: register again with a higher incarnation than ${ref.incarnation}`
  return new RpcError('aborted', message, { reason: refusals.leaseLost })
}

function superseded(lease: Lease): RpcError {
  const message = `lease '${lease.id}' was registered anew with incarnation ${lease.incarnation}, which is higher`
  return new RpcError('aborted', message, {
    reason: refusals.superseded,
    details: { incarnation: lease.incarnation },
  })
}

function instanceSuperseded(instance: Instance): RpcError {
  const message = `instance '${instance.id}' is registered with incarnation ${instance.incarnation}; only a higher one may replace it`
  return new RpcError('aborted', message, {
    reason: refusals.superseded,
    details: { instance: instance.id, incarnation: instance.incarnation },
  })
}

function full(what: string, max: number): RpcError {
  return new RpcError('resource_exhausted', `the registry holds ${max} ${what}, which is its limit`)
}
