import { positive, unknownName } from './check.ts'

/** Every number that a peer may send, bounded. Each can be set where a server or client is made. */
export interface Limits {
  /** The largest message that is sent or accepted, encoded. Default 4 MiB, as gRPC's. */
  readonly maxMessageBytes: number
  /** All metadata of one message, names and values. Default 8 KiB. */
  readonly maxMetadataBytes: number
  /** How many metadata entries a message may have. Default 64. */
  readonly maxMetadataEntries: number
  /** How deep arrays, objects, maps and sets may be nested. Default 64. */
  readonly maxDepth: number
  /** Open streams per connection; more are refused. Default 128, as most HTTP/2 servers'. */
  readonly maxStreams: number
  /** Unary calls in flight per connection; more are refused. Default 1,024. */
  readonly maxCalls: number
  /**
   * Open connections per server. Beyond, a new one takes the place of the oldest that has made no call, or else is closed
   * at once. Default 10,000.
   */
  readonly maxConnections: number
  /** Calls that a client holds, waiting or in flight; more fail at once. Default 10,000. */
  readonly maxPendingCalls: number
  /** Bytes that wait to be sent on one connection; a peer that lets more pile up is closed. Default 16 MiB. */
  readonly maxUnsentBytes: number
  /**
   * Bytes that a server holds for all its connections together: of messages that have begun to come, and of what waits to
   * be sent. Beyond, those that hold the most are closed. Default 512 MiB.
   */
  readonly maxHeldBytes: number
  /** How much of one stream may be on its way, unread. Default 256 KiB: enough to fill a 1 Gbit/s link at 2 ms. */
  readonly streamWindowBytes: number
  /** The same for all streams of a connection together. Default 4 MiB. */
  readonly connectionWindowBytes: number
  /** How long a first message, once begun, may take to be recognised; over HTTP the head of any request. Default 5 s. */
  readonly firstMessageTimeoutMs: number
  /** How long a connection may stay without ever sending a byte. Default 5 min: Go's clients dial early. */
  readonly silentTimeoutMs: number
  /** How many such silent connections are kept; beyond, the oldest is closed. Default 1,000. */
  readonly maxSilentConnections: number
  /** A ping after this long without a byte received. Default 30 s. */
  readonly keepaliveMs: number
  /** A peer that answers nothing for this long after a ping is gone. Default 10 s. */
  readonly keepaliveTimeoutMs: number
  /** How long a cancelled generator may take to end before it is counted and logged. Default 5 s. */
  readonly cancelGraceMs: number
}

const KiB = 1024
const MiB = 1024 * KiB

export const defaultLimits: Limits = Object.freeze({
  maxMessageBytes: 4 * MiB,
  maxMetadataBytes: 8 * KiB,
  maxMetadataEntries: 64,
  maxDepth: 64,
  maxStreams: 128,
  maxCalls: 1024,
  maxConnections: 10_000,
  maxPendingCalls: 10_000,
  maxUnsentBytes: 16 * MiB,
  maxHeldBytes: 512 * MiB,
  streamWindowBytes: 256 * KiB,
  connectionWindowBytes: 4 * MiB,
  firstMessageTimeoutMs: 5_000,
  silentTimeoutMs: 300_000,
  maxSilentConnections: 1_000,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
  cancelGraceMs: 5_000,
})

/**
 * Completes limits with the defaults.
 * @throws RpcError `invalid_argument` for a name that is no limit, or a value that is not a positive number.
 */
export function resolveLimits(given: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultLimits, name)) throw unknownName('limit', name, Object.keys(defaultLimits))
    if (value !== undefined) positive(`limit ${name}`, value)
  }
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  // A message must fit into what may wait to be sent and be held, or raising the one limit alone would close connections.
  const limits = { ...defaultLimits, ...defined }
  const maxUnsentBytes = Math.max(limits.maxUnsentBytes, limits.maxMessageBytes * 2)
  const maxHeldBytes = Math.max(limits.maxHeldBytes, limits.maxMessageBytes * 2)
  return Object.freeze({ ...limits, maxUnsentBytes, maxHeldBytes })
}
