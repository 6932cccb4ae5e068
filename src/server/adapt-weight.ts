import { unknownName } from '../core/check.ts'
import type { Cancel, Clock } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'

/** How a server's weight follows its own load. */
export interface AdaptWeightOptions {
  /** How often the load is looked at. Default 5 s. */
  readonly periodMs?: number | undefined
  /**
   * For how long a load is remembered: after so long a new one counts for two thirds of the average. Default 60 s: a
   * burst changes little, and a busy server is relieved while it is still busy.
   */
  readonly windowMs?: number | undefined
  /** The part of the weight that is always left. Default 0.1: one without calls could never show that it is free again. */
  readonly leastShare?: number | undefined
  /** Registries are told at most once in so long. Default 15 s. */
  readonly updateMs?: number | undefined
  /** Smaller changes are not told, as a share of the weight that was told last. Default 0.1. */
  readonly leastChange?: number | undefined
  /**
   * How busy the server is now, from 0 to 1, where something else than processor, event loop and memory decides: a pool
   * of connections, a graphics card. Asked once a period.
   */
  readonly busy?: (() => number) | undefined
}

/** {@link AdaptWeightOptions}, complete and checked. */
export interface ResolvedAdaptWeight {
  readonly periodMs: number
  readonly windowMs: number
  readonly leastShare: number
  readonly updateMs: number
  readonly leastChange: number
  readonly busy: (() => number) | undefined
}

const known: Readonly<Record<keyof AdaptWeightOptions, true>> = {
  periodMs: true,
  windowMs: true,
  leastShare: true,
  updateMs: true,
  leastChange: true,
  busy: true,
}

/**
 * Completes the options; undefined where the weight is not to follow the load.
 * @throws RpcError `invalid_argument` for an unknown option, or one whose value makes no sense.
 */
export function resolveAdaptWeight(
  given: boolean | AdaptWeightOptions | undefined,
): ResolvedAdaptWeight | undefined {
  if (given === undefined || given === false) return undefined
  const options = given === true ? {} : given
  if (typeof options !== 'object' || options === null)
    throw wrong(`adaptWeight must be true, false or an object, got ${JSON.stringify(given)}`)
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name)) throw unknownName('option', `adaptWeight.${name}`, Object.keys(known))
  }
  const { periodMs = 5_000, windowMs = 60_000, leastShare = 0.1 } = options
  const { updateMs = 15_000, leastChange = 0.1, busy } = options
  if (busy !== undefined && typeof busy !== 'function')
    throw wrong(`adaptWeight.busy must be a function that gives a number from 0 to 1, got ${typeof busy}`)
  return Object.freeze({
    periodMs: number('periodMs', periodMs, { least: 1 }),
    windowMs: number('windowMs', windowMs, { least: 1 }),
    leastShare: number('leastShare', leastShare, { least: 0.001, most: 1 }),
    updateMs: number('updateMs', updateMs, { least: 0 }),
    leastChange: number('leastChange', leastChange, { least: 0, most: 1 }),
    busy,
  })
}

/** What following a load needs. */
export interface FollowRoom {
  readonly clock: Clock
  readonly options: ResolvedAdaptWeight
  /** How busy it was since it was last asked, from 0 to 1. */
  busy(): number
  /** Told of each change that is worth it: the part of the weight that the load leaves, and how busy it was on average. */
  tell(share: number, busy: number): void
  /** Told when `busy` gives no number, or throws. The load is then as it was. */
  failed(reason: unknown): void
}

/** Looks at a load until it is stopped. */
export function followLoad({ clock, options, busy, tell, failed }: FollowRoom): Cancel {
  const { periodMs, windowMs, leastShare, updateMs, leastChange } = options
  let average = 0
  let lookedAt = clock.now()
  let told = 1
  let toldAt = Number.NEGATIVE_INFINITY
  const look = () => {
    stop = clock.afterInBackground(periodMs, look)
    const now = clock.now()
    try {
      average += (checkBusy(busy()) - average) * (1 - Math.exp((lookedAt - now) / windowMs))
    } catch (thrown) {
      failed(thrown)
    }
    lookedAt = now
    const share = Math.round(Math.max(leastShare, 1 - average) * 100) / 100
    // A little less will do: hundredths are not exact in binary.
    const isWorthIt = share !== told && Math.abs(share - told) > leastChange * told - 1e-9
    if (!isWorthIt || now - toldAt < updateMs) return
    told = share
    toldAt = now
    tell(share, average)
  }
  let stop = clock.afterInBackground(periodMs, look)
  return () => stop()
}

function checkBusy(given: number): number {
  if (typeof given === 'number' && given >= 0) return Math.min(1, given)
  throw wrong(`adaptWeight.busy must give a number from 0 to 1, got ${String(given)}`)
}

function number(
  name: string,
  given: number,
  { least, most = Number.MAX_VALUE }: { least: number; most?: number },
): number {
  if (typeof given === 'number' && given >= least && given <= most) return given
  const range = most === 1 ? `from ${least} to 1` : `of at least ${least}`
  throw wrong(`adaptWeight.${name} must be a number ${range}, got ${String(given)}`)
}

function wrong(why: string): RpcError {
  return new RpcError('invalid_argument', why)
}
