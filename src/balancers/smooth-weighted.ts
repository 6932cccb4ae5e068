import type { Balancer, BalancerRoom, Candidate, Picker } from './balancer.ts'
import { IndexHeap } from './index-heap.ts'
import { usable, weightOf } from './usable.ts'

// Weights further apart count as if they were so far apart: a share of one in a billion is none.
const leastShare = 1e-9
// Windows begin and end on a grid of this fineness, so that equal times stay equal however they were computed.
const grid = 2 ** 20
// So many picks at most are skipped at the beginning, lest clients that start together go through the servers in step.
const maxSkipped = 256

/**
 * Smooth weighted round robin: each candidate in proportion to its weight, and evenly spread, not in bursts. At every
 * moment each has been picked as often as its share says, give or take less than one (Tijdeman 1980, the chairman
 * assignment problem). What everybody is owed survives that others come and go; a new weight counts from the next pick
 * on. A pick takes time in proportion to the logarithm of the number of candidates.
 */
export const smoothWeighted: Balancer = (candidates, room) => new SmoothPicker(usable(candidates), room)

/**
 * Time is counted in picks. A candidate with the share s has a window of 1/s picks for each of its turns, one after the
 * other. Of those whose window is open the one whose window ends first is picked.
 */
class SmoothPicker implements Picker {
  readonly #among: readonly Candidate[]
  /** The length of a window. */
  readonly #lengths: Float64Array
  /** When the first window began, and how many turns there were since. */
  readonly #origins: Float64Array
  readonly #turns: Float64Array
  /** When the present window is open enough to be picked, and when it ends. */
  readonly #opens: Float64Array
  readonly #ends: Float64Array
  readonly #open: IndexHeap
  readonly #waiting: IndexHeap
  /** The part of a window that has to pass before it is open: with it the deviation is the least possible. */
  readonly #delay: number
  #picks = 0

  constructor(given: readonly Candidate[], { random, previous }: BalancerRoom) {
    const count = given.length
    this.#among = rotated(given, Math.floor(random() * count))
    this.#lengths = windowLengths(this.#among)
    this.#origins = new Float64Array(count)
    this.#turns = new Float64Array(count)
    this.#opens = new Float64Array(count)
    this.#ends = new Float64Array(count)
    this.#open = new IndexHeap(this.#ends)
    this.#waiting = new IndexHeap(this.#opens)
    this.#delay = count < 2 ? 0 : 1 / (2 * count - 2)
    const owed: ReadonlyMap<Candidate, number> =
      previous instanceof SmoothPicker ? previous.owed() : new Map()
    const debts = this.#among.map((candidate) => owed.get(candidate) ?? 0)
    // What is owed to all together is nothing; who left has taken along what is missing.
    const surplus = debts.reduce((sum, debt) => sum + debt, 0)
    debts.forEach((debt, index) => {
      this.#origins[index] = surplus - debt * (this.#lengths[index] as number)
      this.#wait(index)
    })
    if (!this.#among.some((candidate) => owed.has(candidate))) {
      for (let left = Math.floor(random() * Math.min(4 * count, maxSkipped)); left > 0; left--) this.pick()
    }
  }

  pick(): Candidate | undefined {
    if (this.#among.length < 2) return this.#among[0]
    const now = ++this.#picks
    while (this.#waiting.leastKey <= now) this.#open.push(this.#waiting.pop())
    // That nobody is open can only come from rounding.
    const picked = this.#open.size > 0 ? this.#open.pop() : this.#waiting.pop()
    this.#turns[picked] = (this.#turns[picked] as number) + 1
    this.#wait(picked)
    return this.#among[picked]
  }

  /** How many picks each is behind its share; below 0 where it is ahead. */
  owed(): ReadonlyMap<Candidate, number> {
    return new Map(
      this.#among.map((candidate, index) => {
        const behind = (this.#picks - this.#begin(index)) / (this.#lengths[index] as number)
        return [candidate, Math.min(1, Math.max(-1, behind))]
      }),
    )
  }

  /** Lets it wait for its present window to open. */
  #wait(index: number): void {
    const begin = this.#begin(index)
    const length = this.#lengths[index] as number
    this.#opens[index] = onGrid(begin + this.#delay * length)
    this.#ends[index] = onGrid(begin + length)
    this.#waiting.push(index)
  }

  #begin(index: number): number {
    return (
      (this.#origins[index] as number) + (this.#turns[index] as number) * (this.#lengths[index] as number)
    )
  }
}

function onGrid(time: number): number {
  return Math.round(time * grid) / grid
}

function windowLengths(among: readonly Candidate[]): Float64Array {
  const weights = among.map(weightOf)
  const least = weights.reduce((most, weight) => Math.max(most, weight), 0) * leastShare
  const counted = weights.map((weight) => Math.max(weight, least))
  const total = counted.reduce((sum, weight) => sum + weight, 0)
  return Float64Array.from(counted, (weight) => total / weight)
}

// Equals take turns in this order, and it should not be the same everywhere.
function rotated<T>(list: readonly T[], by: number): readonly T[] {
  return [...list.slice(by), ...list.slice(0, by)]
}
