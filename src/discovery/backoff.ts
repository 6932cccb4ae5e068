import type { Random } from '../core/random.ts'

/** The bounds of the waits between attempts to reach a registry. */
const firstMs = 250
const maxMs = 5_000

/**
 * How long to wait before the next attempt, after `failures` (at least 1) in a row: up to 0.25 s, then twice as long
 * each time, up to 5 s. Full jitter: anything from nothing to that, so that a fleet does not come back in step.
 */
export function backoffMs(failures: number, random: Random): number {
  return random() * Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 10))
}
