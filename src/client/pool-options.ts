import type { Backoff } from '../core/backoff.ts'
import { positive } from '../core/check.ts'

export interface PoolOptions {
  /**
   * How long a connection may take to be made, and once more to be negotiated. Default 1 s, for elsewhere may be faster,
   * or what the protocol says.
   */
  readonly connectTimeoutMs?: number | undefined
  /** The time that calls have because nobody gave them another. Default: all were given theirs. */
  readonly defaultTimeoutMs?: number | undefined
  /** Open connections per endpoint; more calls than they take at once wait. Default 10, gRPC's cap (its proposal A105). */
  readonly maxSessions?: number
  /** The wait after failed connects, with full jitter. Default 100 ms, doubled each time, at most 5 s. */
  readonly backoff?: Partial<Backoff>
}

export interface ResolvedPoolOptions {
  readonly connecting: ConnectTime
  readonly defaultTimeoutMs: number | undefined
  readonly maxSessions: number
  readonly backoff: Backoff
}

/** How long making a connection may take. */
export interface ConnectTime {
  /** Infinity for as long as it likes. */
  readonly timeoutMs: number
  /** Whether that is for connecting and negotiating together, and not for each. */
  readonly together: boolean
}

/** @throws RpcError `invalid_argument` for a value that is no positive number. */
export function resolvePoolOptions(
  given: PoolOptions = {},
  protocol: { readonly connectTimeoutMs?: number } = {},
): ResolvedPoolOptions {
  const {
    connectTimeoutMs = 1_000,
    defaultTimeoutMs,
    maxSessions = 10,
    backoff: { baseMs = 100, factor = 2, maxMs = 5_000 } = {},
  } = given
  const numbers = { connectTimeoutMs, maxSessions, baseMs, factor, maxMs }
  for (const [name, value] of Object.entries(numbers)) positive(name, value)
  const ofProtocol = given.connectTimeoutMs === undefined ? protocol.connectTimeoutMs : undefined
  const connecting =
    ofProtocol === undefined
      ? { timeoutMs: connectTimeoutMs, together: false }
      : { timeoutMs: ofProtocol === 0 ? Number.POSITIVE_INFINITY : ofProtocol, together: true }
  return Object.freeze({
    connecting,
    defaultTimeoutMs,
    maxSessions,
    backoff: Object.freeze({ baseMs, factor, maxMs }),
  })
}
