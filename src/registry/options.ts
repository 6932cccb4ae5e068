import { unknownName } from '../core/check.ts'
import { RpcError } from '../core/error.ts'
import { defaultTtlMs, maxTtlMs, minTtlMs } from '../discovery/api/limits.ts'

/** How much a registry holds, and how long it waits. */
export interface RegistryOptions {
  /** How long a lease lasts where its owner names no time. Default 15 s. */
  readonly ttlMs?: number
  /** Instances altogether; more are refused. Default 100,000. */
  readonly maxInstances?: number
  /** Watches altogether; more are refused. Default 20,000. */
  readonly maxWatches?: number
  /** How many changes are kept for watchers that come back. Default 10,000. */
  readonly maxHistory?: number
  /** How long they are kept. Default 10 min. */
  readonly historyMs?: number
  /** A watch yields at least a bookmark this often, so that its reader notices a dead registry. Default 10 s. */
  readonly bookmarkMs?: number
  /** How often expired leases are looked for. Default 500 ms: a sixth of the shortest lease. */
  readonly sweepMs?: number
  /** The least time between two rounds of news to the watchers; what changes meanwhile goes together. Default 20 ms. */
  readonly quietMs?: number
  /**
   * Self-preservation: where at least so many instances are known, and more than {@link maxLostShare} of them went
   * silent together, it is more likely that the network broke than that they died. They stay, marked suspect, for
   * {@link suspectMs}. Default 10.
   */
  readonly preserveFrom?: number
  /** Default 0.15, as Eureka's. */
  readonly maxLostShare?: number
  /** Default 10 min: longer than most repairs of a network take; clients pass over dead instances meanwhile. */
  readonly suspectMs?: number
}

export type ResolvedRegistryOptions = Required<RegistryOptions>

const defaults: ResolvedRegistryOptions = Object.freeze({
  ttlMs: defaultTtlMs,
  maxInstances: 100_000,
  maxWatches: 20_000,
  maxHistory: 10_000,
  historyMs: 600_000,
  bookmarkMs: 10_000,
  sweepMs: 500,
  quietMs: 20,
  preserveFrom: 10,
  maxLostShare: 0.15,
  suspectMs: 600_000,
})

/**
 * Completes the options with the defaults.
 * @throws RpcError `invalid_argument` for a name that is no option, or a value that is no number above or equal to 0.
 */
export function resolveRegistryOptions(given: RegistryOptions = {}): ResolvedRegistryOptions {
  const resolved: Record<string, number> = { ...defaults }
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (!Object.hasOwn(defaults, name)) throw unknownName('registry option', name, Object.keys(defaults))
    if (value === undefined) continue
    if (typeof value !== 'number' || !(value >= 0)) {
      throw new RpcError(
        'invalid_argument',
        `registry option ${name} must be a number, got ${describeValue(value)}`,
      )
    }
    resolved[name] = value
  }
  const options = resolved as unknown as ResolvedRegistryOptions
  if (options.ttlMs < minTtlMs || options.ttlMs > maxTtlMs) {
    throw new RpcError(
      'invalid_argument',
      `ttlMs must be from ${minTtlMs} to ${maxTtlMs}, got ${options.ttlMs}`,
    )
  }
  return Object.freeze(options)
}

function describeValue(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number'
    ? `'${value}'`
    : `a value of type ${typeof value}`
}
