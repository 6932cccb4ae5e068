import type { Backoff } from '../core/backoff.ts'
import type { Call } from '../core/call.ts'
import { type Random, systemRandom } from '../core/random.ts'
import { checkNumbers } from './check-options.ts'
import type { RetryBudgetOptions } from './retry-budget.ts'

export interface RetryOptions extends Partial<Backoff> {
  /** Attempts in all, the first among them. Default 3: what three do not do, more will hardly. */
  readonly attempts?: number
  /** The wait before a second attempt, at most: it is anywhere from 0 to it ("full jitter"). Default 50 ms. */
  readonly baseMs?: number
  /** How much longer each next wait may be. Default 2. */
  readonly factor?: number
  /** The longest wait. Default 1 s. */
  readonly maxMs?: number
  /** How many retries there may be beside the calls. Default a fifth of them, and 10 a second. */
  readonly budget?: Partial<RetryBudgetOptions>
  /** Default the machine's own. */
  readonly random?: Random
  /** Whether doing a call twice does no harm. Default: what is known of its method says so. */
  readonly isIdempotent?: (call: Call) => boolean
}

export interface ResolvedRetryOptions extends Backoff {
  readonly attempts: number
  readonly budget: RetryBudgetOptions
  readonly random: Random
  readonly isIdempotent: (call: Call) => boolean
}

/** @throws RpcError `invalid_argument` for a number that makes no sense. */
export function resolveRetryOptions(given: RetryOptions = {}): ResolvedRetryOptions {
  const { attempts = 3, baseMs = 50, factor = 2, maxMs = 1_000, random = systemRandom } = given
  const { share = 0.2, perSecond = 10 } = given.budget ?? {}
  const isIdempotent = given.isIdempotent ?? ((call: Call) => call.info?.idempotent === true)
  checkNumbers('retry', 1, { attempts, factor })
  checkNumbers('retry', 0, { baseMs, maxMs, share, perSecond })
  return Object.freeze({
    attempts,
    baseMs,
    factor,
    maxMs,
    budget: Object.freeze({ share, perSecond }),
    random,
    isIdempotent,
  })
}
