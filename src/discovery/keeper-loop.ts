import type { Cancel, Clock } from '../core/clock.ts'
import { detached } from '../core/context.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import { backoffMs } from './backoff.ts'
import { Changes } from './changes.ts'
import { HeldRegistration, type Keeper } from './registration.ts'
import type { DiscoveryRoom } from './source.ts'

/** How long taking back may hold up a server that stops. */
export const closeMs = 1_000

/** Saying the same again will not help. */
export const refusedForGood: ReadonlySet<string> = new Set([
  'invalid_argument',
  'permission_denied',
  'unauthenticated',
  'unimplemented',
])

/** What a loop does. */
export interface KeeperWork {
  /** One request, or one wait. The signal is aborted when the answer is not worth waiting for any longer. */
  step(signal: AbortSignal): Promise<void>
  /** A step was rejected; to wait is its affair. */
  failed(error: RpcError): Promise<void>
}

/** How a failure is told, and waited for. */
export interface TryLaterOptions {
  /** For the log. */
  readonly fields?: object
  /** When something else is to be done. */
  readonly atMostMs?: number
}

/**
 * Runs what keeps registrations announced: one loop, one step after the other, as long as there is something to keep or
 * to take back. After any trouble it goes on, for ever.
 */
export class KeeperLoop implements Keeper {
  readonly registrations: Set<HeldRegistration> = new Set()
  readonly changes: Changes = new Changes()
  readonly #room: DiscoveryRoom
  readonly #target: string
  readonly #work: KeeperWork
  #failures = 0
  #trouble: RpcError | undefined
  #running = false
  #closed = false
  #wake: () => void = () => {}
  #inFlight: AbortController | undefined

  constructor(room: DiscoveryRoom, target: string, work: KeeperWork) {
    this.#room = room
    this.#target = target
    this.#work = work
  }

  get trouble(): RpcError | undefined {
    return this.#trouble
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures
  }

  /** @throws RpcError `invalid_argument` for instances that no registry could take, `unavailable` once closed. */
  add(instances: readonly Instance[], ttlMs: number): HeldRegistration {
    if (this.#closed) throw new RpcError('unavailable', `the registrar for ${this.#target} was closed`)
    const registration = new HeldRegistration(this, instances, ttlMs)
    this.registrations.add(registration)
    void this.changed()
    return registration
  }

  changed(): Promise<void> {
    const told = this.changes.add()
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
    if (!this.registrations.delete(registration)) return
    // A request that hangs would hold up the last one.
    this.#inFlight?.abort()
    await withinBound(this.changed(), this.#room.clock)
  }

  /** Closes all registrations; within a second also where the registry does not answer. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.registrations].map((registration) => registration.close()))
  }

  /** Waits, but not once something is wanted. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel: Cancel = this.#room.clock.afterInBackground(ms, () => this.#wake())
      this.#wake = () => {
        this.#wake = () => {}
        cancel()
        resolve()
      }
    })
  }

  /** Counts a failure, says so if it is the first, and waits where it may be over later; for `atMostMs` at most. */
  async tryLater(
    error: RpcError,
    { fields = { code: error.code }, atMostMs = Number.POSITIVE_INFINITY }: TryLaterOptions = {},
  ): Promise<void> {
    this.#failures++
    this.#trouble = error
    const level = this.#failures === 1 ? 'warn' : 'debug'
    this.log(level, 'unreachable', `cannot be told of this process, trying on: ${error.message}`, fields)
    await this.pause(Math.min(backoffMs(this.#failures, this.#room.random), atMostMs))
  }

  /** The registry has answered. */
  succeeded(): void {
    if (this.#failures > 0) this.log('info', 'recovered', `answers again, after ${this.#failures} failures`)
    this.forget()
  }

  /** Counts from nothing again, where the failures do not matter any longer. */
  forget(): void {
    this.#failures = 0
    this.#trouble = undefined
  }

  /** Tells who registered that it was lost. A listener that throws must not end the loop. */
  tellLost(registration: HeldRegistration, reason: RpcError): void {
    try {
      registration.onLost(reason)
    } catch (error) {
      this.log('error', 'listener_failed', `onLost threw: ${RpcError.from(error).message}`)
    }
  }

  log(level: 'debug' | 'info' | 'warn' | 'error', event: string, what: string, fields: object = {}): void {
    const all = { event: `registrar.${event}`, registry: this.#target, ...fields }
    this.#room.logger[level](all, `${this.#target}: ${what}`)
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    while (this.registrations.size > 0 || this.changes.pending) {
      const inFlight = new AbortController()
      this.#inFlight = inFlight
      try {
        await this.#work.step(inFlight.signal)
      } catch (thrown) {
        if (!inFlight.signal.aborted) await this.#work.failed(RpcError.from(thrown))
      }
    }
    this.#inFlight = undefined
    this.#running = false
  }
}

/** Resolves when the promise has settled, either way, or when the time is up. */
function withinBound(promise: Promise<void>, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(closeMs, resolve)
    const done = () => {
      cancel()
      resolve()
    }
    promise.then(done, done)
  })
}
