import type { Random } from './random.ts'

/** How long to wait after failures: `baseMs`, then each time `factor` times as long, up to `maxMs`. */
export interface Backoff {
  readonly baseMs: number
  readonly factor: number
  readonly maxMs: number
}

/**
 * The wait after so many failures in a row (at least 1), with full jitter: evenly anywhere from 0 to the bound, so that
 * many clients that failed together do not come back together.
 */
export function backoffMs(backoff: Backoff, failures: number, random: Random): number {
  return random() * Math.min(backoff.maxMs, backoff.baseMs * backoff.factor ** (failures - 1))
}
