/** A number from 0 (included) to 1 (excluded). `Math.random` is one. */
export type Random = () => number

/** The machine's own chance. */
export const systemRandom: Random = Math.random

/** The same numbers for the same seed, for tests and simulations. Algorithm: mulberry32 (public domain). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A time spread evenly over ± `share` around `ms`, so that many processes do not act in step. */
export function jitter(random: Random, ms: number, share: number): number {
  return ms * (1 + (random() * 2 - 1) * share)
}

/** An id of 16 hexadecimal digits; unique enough among the instances of a fleet. */
export function randomId(random: Random): string {
  let id = ''
  for (let i = 0; i < 4; i++)
    id += Math.floor(random() * 0x10000)
      .toString(16)
      .padStart(4, '0')
  return id
}
