import { RpcError } from '../../core/error.ts'
import type { Instance } from '../../core/instance.ts'
import { jitter } from '../../core/random.ts'
import { refusals } from '../api/messages.ts'
import { KeeperLoop, refusedForGood } from '../keeper-loop.ts'
import type { HeldRegistration } from '../registration.ts'
import type { DiscoveryRoom } from '../source.ts'
import type { Entry, Telling } from './dialect.ts'

/** What a keeper is made of. */
export interface KeeperOptions<E extends Entry> {
  readonly room: DiscoveryRoom
  readonly target: string
  readonly telling: Telling<E>
  readonly heartbeatMs: number
}

/** An entry that the registry has, or may have: it was sent. */
interface Held<E extends Entry> {
  readonly entry: E
  readonly toldAt: number
  /** When to say next that it lives; undefined until the registry has taken it. */
  beatAt: number | undefined
  /** It was to be taken back, and that failed. */
  missed: boolean
}

/** One registration, and what is to be registered for it. */
interface Wanted<E extends Entry> {
  readonly registration: HeldRegistration
  readonly said: readonly Instance[] | undefined
  readonly entries: readonly E[]
}

/**
 * Keeps what a process announces in a registry that knows no leases: each entry is registered, and says by itself that it
 * lives. The older systems stop at the first failure; this goes on for ever.
 */
export class HeartbeatKeeper<E extends Entry> {
  readonly #options: KeeperOptions<E>
  readonly #loop: KeeperLoop
  readonly #held = new Map<string, Held<E>>()

  constructor(options: KeeperOptions<E>) {
    this.#options = options
    this.#loop = new KeeperLoop(options.room, options.target, {
      step: (signal) => this.#step(signal),
      failed: (error) => this.#loop.tryLater(error, { atMostMs: this.#untilNextMs() }),
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
    const { version, pending } = this.#loop.changes
    const since = this.#options.room.clock.now()
    const wanted = [...this.#loop.registrations].map((registration) => this.#want(registration))
    const tasks = [...(pending ? this.#takeBack(wanted, signal) : []), ...this.#tell(wanted, signal)]
    if (!pending && tasks.length === 0) return this.#loop.pause(this.#untilNextMs())
    // All of them, whatever becomes of each: one that is refused is no reason to let the others run out.
    const results = await Promise.allSettled(tasks)
    for (const one of wanted) if (one.entries.every((entry) => this.#has(entry))) this.#confirm(one)
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    if (tasks.length > 0) this.#succeeded(since)
    if (pending) this.#loop.changes.settle(version)
  }

  /** What is to be registered now. Who drains is not: these registries know no draining. */
  #want(registration: HeldRegistration): Wanted<E> {
    const said = registration.instances
    if (registration.draining || said === undefined) return { registration, said, entries: [] }
    const up = said.filter(({ status }) => status === 'up')
    try {
      const entries = up.flatMap((instance) => this.#options.telling.entries(instance))
      return { registration, said, entries }
    } catch (thrown) {
      const error = RpcError.from(thrown)
      this.#loop.log('error', 'refused', error.message, { code: error.code })
      registration.refuse(error)
      this.#loop.changes.reject(error)
      // What was announced before, if anything was.
      return this.#want(registration)
    }
  }

  /** Registers what is new or has changed, and says of the rest that it lives when it is time to. */
  #tell(wanted: readonly Wanted<E>[], signal: AbortSignal): Promise<void>[] {
    const now = this.#options.room.clock.now()
    return wanted.flatMap(({ registration, entries }) =>
      entries.flatMap((entry) => {
        if (!this.#has(entry)) return [this.#register(entry, registration, signal)]
        const beatAt = this.#held.get(entry.key)?.beatAt ?? now
        return beatAt <= now ? [this.#beat(entry, registration, signal)] : []
      }),
    )
  }

  #takeBack(wanted: readonly Wanted<E>[], signal: AbortSignal): Promise<void>[] {
    const keys = new Set(wanted.flatMap(({ entries }) => entries.map(({ key }) => key)))
    const gone = [...this.#held.values()].filter(({ entry }) => !keys.has(entry.key))
    return gone.map((held) => this.#unregister(held, signal))
  }

  async #register(entry: E, registration: HeldRegistration, signal: AbortSignal): Promise<void> {
    const toldAt = this.#options.room.clock.now()
    this.#held.set(entry.key, { entry, toldAt, beatAt: undefined, missed: false })
    try {
      await this.#options.telling.register(entry, signal)
    } catch (thrown) {
      const error = RpcError.from(thrown)
      if (refusedForGood.has(error.code)) registration.complain(error)
      throw error
    }
    this.#hold(entry)
    this.#loop.log('info', 'registered', `registered ${entry.key}`, { entry: entry.key })
  }

  async #beat(entry: E, registration: HeldRegistration, signal: AbortSignal): Promise<void> {
    const { target, telling } = this.#options
    if (!(await telling.heartbeat(entry, signal))) {
      const what = `no longer knows ${entry.key}; registering again`
      this.#loop.log('warn', 'lost', what, { entry: entry.key })
      const reason = new RpcError('aborted', `${target} ${what}`, { reason: refusals.leaseLost })
      this.#loop.tellLost(registration, reason)
      return this.#register(entry, registration, signal)
    }
    this.#hold(entry)
    this.#loop.log('debug', 'renewed', `told that ${entry.key} lives`, { entry: entry.key })
  }

  async #unregister(held: Held<E>, signal: AbortSignal): Promise<void> {
    const { entry } = held
    const { telling } = this.#options
    const fields = { entry: entry.key }
    if (telling.unregister === undefined) {
      const what = `cannot be told that ${entry.key} leaves: it stays there until its time has run out`
      this.#loop.log('debug', 'silent', what, fields)
      return void this.#held.delete(entry.key)
    }
    try {
      await telling.unregister(entry, signal)
      this.#loop.log('info', 'unregistered', `took ${entry.key} back`, fields)
    } catch (thrown) {
      const error = RpcError.from(thrown)
      if (!held.missed) {
        held.missed = !signal.aborted
        throw error
      }
      const what = `was not told that ${entry.key} leaves, its time will run out: ${error.message}`
      this.#loop.log('warn', 'unregister_failed', what, fields)
    }
    this.#held.delete(entry.key)
  }

  #succeeded(since: number): void {
    // A registry that was away may have lost those too that are not due yet.
    if (this.#loop.failures > 0)
      for (const held of this.#held.values())
        if (held.toldAt < since && held.beatAt !== undefined) held.beatAt = since
    this.#loop.succeeded()
  }

  #confirm({ registration, said }: Wanted<E>): void {
    if (said !== undefined) registration.confirm(said)
  }

  /** Whether the registry has taken it, just so. */
  #has(entry: E): boolean {
    const held = this.#held.get(entry.key)
    return held?.beatAt !== undefined && held.entry.content === entry.content
  }

  #hold(entry: E): void {
    const { room, heartbeatMs } = this.#options
    const toldAt = room.clock.now()
    const beatAt = toldAt + jitter(room.random, heartbeatMs, 0.1)
    this.#held.set(entry.key, { entry, toldAt, beatAt, missed: false })
  }

  /** Until the next entry is due. One that is due already has failed, and is tried again when it is time for that. */
  #untilNextMs(): number {
    const { room, heartbeatMs } = this.#options
    const now = room.clock.now()
    const times = [...this.#held.values()].flatMap(({ beatAt = now }) => (beatAt > now ? [beatAt - now] : []))
    return Math.min(heartbeatMs, ...times)
  }
}
