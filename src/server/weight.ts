import type { Cancel, Clock } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import { checkWeight } from '../core/weight.ts'
import { followLoad, type ResolvedAdaptWeight } from './adapt-weight.ts'
import { createBusyMeter, type LoadReading } from './own-load.ts'

export interface WeightRoom {
  readonly clock: Clock
  readonly logger: Logger
  /** What to begin with. */
  readonly weight: number
  /** How it is to follow the load; undefined for not at all. */
  readonly adapt: ResolvedAdaptWeight | undefined
  /** Reads the load of the process; undefined where that cannot be told. */
  readonly ownLoad: (() => LoadReading) | undefined
  /** Told of each change. */
  changed(): void
}

/** The weight that a server registers: what was set, times what its own load leaves of it. */
export class ServerWeight {
  readonly #room: WeightRoom
  #set: number
  #share = 1
  #stop: Cancel | undefined
  #hasFailed = false

  /** @throws RpcError `invalid_argument` if it is to follow a load that cannot be told. */
  constructor(room: WeightRoom) {
    const { adapt, ownLoad, weight } = room
    this.#room = room
    this.#set = weight
    if (adapt !== undefined && adapt.busy === undefined && ownLoad === undefined) {
      throw new RpcError(
        'invalid_argument',
        'adaptWeight: nothing here can tell the load of this process; give adaptWeight.busy, a function that does',
      )
    }
  }

  get current(): number {
    // Without the digits that only rounding adds.
    return Number((this.#set * this.#share).toPrecision(6))
  }

  /** @throws RpcError `invalid_argument` for what is no weight. */
  set(weight: number): void {
    const before = this.current
    this.#set = checkWeight(weight)
    this.#tell(before)
  }

  /** Begins to follow the load, if it is to. */
  start(): void {
    const { clock, adapt, ownLoad } = this.#room
    if (adapt === undefined) return
    const busy = adapt.busy ?? createBusyMeter(clock, ownLoad as () => LoadReading)
    this.#stop ??= followLoad({
      clock,
      options: adapt,
      busy,
      tell: (share, average) => this.#adapt(share, average),
      failed: (reason) => this.#failed(reason),
    })
  }

  /** Follows it no longer. Harmless if repeated. */
  stop(): void {
    this.#stop?.()
  }

  #adapt(share: number, busy: number): void {
    const before = this.current
    this.#share = share
    this.#tell(before, busy)
  }

  #tell(before: number, busy?: number): void {
    const weight = this.current
    if (weight === before) return
    const why = busy === undefined ? '' : `: ${Math.round(busy * 100)} % busy of late`
    this.#room.logger.info(
      { event: 'weight', weight, ...(busy !== undefined && { busy }) },
      `weighs ${weight} instead of ${before}${why}`,
    )
    this.#room.changed()
  }

  // Once, for it would be said every few seconds.
  #failed(reason: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    const error = RpcError.from(reason)
    this.#room.logger.warn(
      { event: 'weight', err: error },
      `cannot tell how busy it is; the weight stays as it is: ${error.message}`,
    )
  }
}
