import type { Cancel, Clock } from '../../core/clock.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'

export interface KeepaliveActions {
  ping(): void
  dead(reason: RpcError): void
}

const lateMs = 1000

/**
 * Finds out that a peer is gone without having said so: after `keepaliveMs` of silence it pings, and a peer that is
 * silent for `keepaliveTimeoutMs` more is dead. One timer per connection, moved lazily: hearing something costs a store.
 */
export class Keepalive {
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #actions: KeepaliveActions
  #heardAt: number
  #pinged = false
  #dueAt = 0
  #cancel: Cancel

  constructor(clock: Clock, limits: Limits, actions: KeepaliveActions) {
    this.#clock = clock
    this.#limits = limits
    this.#actions = actions
    this.#heardAt = clock.now()
    this.#cancel = this.#after(limits.keepaliveMs)
  }

  heard(): void {
    this.#heardAt = this.#clock.now()
    this.#pinged = false
  }

  stop(): void {
    this.#cancel()
  }

  #after(ms: number): Cancel {
    this.#dueAt = this.#clock.now() + ms
    return this.#clock.afterInBackground(ms, () => this.#check())
  }

  #check(): void {
    const { keepaliveMs, keepaliveTimeoutMs } = this.#limits
    const silentMs = this.#clock.now() - this.#heardAt
    if (this.#pinged) {
      // A timer that fires late (a blocked loop, a sleeping machine) says nothing of the peer: its answer may be waiting
      // to be read. So it gets another second, in which reading comes first.
      if (this.#clock.now() - this.#dueAt > lateMs) {
        this.#cancel = this.#after(lateMs)
        return
      }
      return this.#actions.dead(
        new RpcError(
          'unavailable',
          `the peer has been silent for ${Math.round(silentMs)} ms and does not answer a ping`,
        ),
      )
    }
    if (silentMs < keepaliveMs) {
      this.#cancel = this.#after(keepaliveMs - silentMs)
      return
    }
    this.#pinged = true
    this.#actions.ping()
    this.#cancel = this.#after(keepaliveTimeoutMs)
  }
}
