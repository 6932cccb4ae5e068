import type { Random } from '../core/random.ts'

/**
 * Draws an index with a probability in proportion to its weight, in constant time: the alias method (Walker 1974,
 * built as Vose 1991 does). Building takes time in proportion to the number of weights. Weights that are negative or
 * no numbers count as 0; if all are 0, all are alike.
 */
export function weightedIndex(given: readonly number[], random: Random): () => number {
  const count = given.length
  const weights = given.map((weight) => (weight > 0 && Number.isFinite(weight) ? weight : 0))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total === 0 || weights.every((weight) => weight === weights[0]))
    return () => Math.floor(random() * count)
  // Every column holds the share 1: some of its own weight, the rest from one other that has too much.
  const share = Float64Array.from(weights, (weight) => (weight * count) / total)
  const alias = Uint32Array.from(weights.keys())
  const poor: number[] = []
  const rich: number[] = []
  share.forEach((part, index) => (part < 1 ? poor : rich).push(index))
  while (poor.length > 0 && rich.length > 0) {
    const taker = poor.pop() as number
    const giver = rich.at(-1) as number
    alias[taker] = giver
    share[giver] = (share[giver] as number) - (1 - (share[taker] as number))
    if (share[giver] < 1) poor.push(rich.pop() as number)
  }
  // What is left over differs from 1 only by rounding.
  for (const index of [...poor, ...rich]) share[index] = 1
  return () => {
    const at = random() * count
    const column = Math.floor(at)
    return at - column < (share[column] as number) ? column : (alias[column] as number)
  }
}
