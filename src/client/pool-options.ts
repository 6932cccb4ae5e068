import type { Backoff } from '../core/backoff.ts'
import { RpcError } from '../core/error.ts'

export interface PoolOptions {
  /** How long a connection may take to be made, and once more to be negotiated. Default 1 s: elsewhere may be faster. */
  readonly connectTimeoutMs?: number
  /** Open connections per endpoint; more calls than they take at once wait. Default 10, gRPC's cap (its proposal A105). */
  readonly maxSessions?: number
  /** The wait after failed connects, with full jitter. Default 100 ms, doubled each time, at most 5 s. */
  readonly backoff?: Partial<Backoff>
}

export interface ResolvedPoolOptions {
  readonly connectTimeoutMs: number
  readonly maxSessions: number
  readonly backoff: Backoff
}

/** @throws RpcError `invalid_argument` for a value that is no positive number. */
export function resolvePoolOptions(given: PoolOptions = {}): ResolvedPoolOptions {
  const {
    connectTimeoutMs = 1_000,
    maxSessions = 10,
    backoff: { baseMs = 100, factor = 2, maxMs = 5_000 } = {},
  } = given
  for (const [name, value] of Object.entries({ connectTimeoutMs, maxSessions, baseMs, factor, maxMs })) {
    if (!(value > 0))
      throw new RpcError('invalid_argument', `${name} must be a positive number, got ${String(value)}`)
  }
  return Object.freeze({ connectTimeoutMs, maxSessions, backoff: Object.freeze({ baseMs, factor, maxMs }) })
}
