import type { Call } from '../core/call.ts'
import type { Balancer, BalancerRoom, Candidate, Picker } from './balancer.ts'
import type { Load } from './load.ts'
import { usable, weightOf } from './usable.ts'

// Below this share of successes a candidate is avoided while the other one is above it, whatever their costs.
const soundRate = 0.5
// Not yet measured and already busy: worse than anything measured, so that it gets one call at a time until it answers.
const unmeasuredMs = 60_000
// A candidate that was not used for so long is tried again, for what is known of it is old.
const unusedMs = 1_000
// Such trials are at most one pick in so many, lest at low rates every candidate counts as unused…
const picksPerTrial = 128
// …or one after so long, so that at low rates there are trials at all.
const trialIntervalMs = 5_000
// Where both of a pair do badly, another pair is drawn, at most so often: then probably nearly all do.
const maxPairs = 3

/**
 * Power of two choices (Mitzenmacher 2001): of two candidates drawn at random, the one that costs less. The cost is
 * calls in flight × latency ÷ success rate ÷ weight. A server that fails quickly does not attract calls by that: its
 * failures do not count as short latencies (see the pool's load tracker) and they raise its cost. The time of a pick
 * does not depend on how many candidates there are.
 */
export const p2c: Balancer = (candidates, room) => new P2cPicker(usable(candidates), room)

class P2cPicker implements Picker {
  readonly #among: readonly Candidate[]
  // What a pick goes by, without the way over each candidate: among thousands, what takes time is to fetch what it touches
  // from memory. 10,000 cost 1.4 times as much as 1,000 like this, and 1.6 times with the candidates themselves.
  readonly #loads: readonly Load[]
  /** Undefined where all weigh the same. */
  readonly #weights: Float64Array | undefined
  readonly #room: BalancerRoom
  #picksSinceTrial = 0
  #trialAt: number

  constructor(among: readonly Candidate[], room: BalancerRoom) {
    this.#among = among
    this.#loads = among.map(({ load }) => load)
    const weights = Float64Array.from(among, weightOf)
    this.#weights = weights.every((weight) => weight === weights[0]) ? undefined : weights
    this.#room = room
    this.#trialAt = room.clock.recent()
  }

  pick(call: Call): Candidate | undefined {
    const count = this.#among.length
    if (count < 2) return this.#among[0]
    const { random } = this.#room
    for (let pair = 1; ; pair++) {
      const first = Math.floor(random() * count)
      const step = Math.floor(random() * (count - 1))
      const second = step < first ? step : step + 1
      const a = this.#loads[first] as Load
      const b = this.#loads[second] as Load
      const aWins = sound(a) === sound(b) ? this.#cost(a, first) <= this.#cost(b, second) : sound(a)
      if (this.#isDue(aWins ? b : a, call)) return this.#among[aWins ? second : first]
      if (pair === maxPairs || count === 2 || sound(aWins ? a : b)) return this.#among[aWins ? first : second]
    }
  }

  #cost({ inFlight, latencyMs, successRate }: Load, at: number): number {
    const weight = this.#weights === undefined ? 1 : (this.#weights[at] as number)
    if (latencyMs > 0) return ((inFlight + 1) * latencyMs) / (Math.max(successRate, 0.001) * weight)
    return inFlight === 0 && successRate === 1 ? 0 : (unmeasuredMs * (inFlight + 1)) / weight
  }

  #isDue(loser: Load, call: Call): boolean {
    this.#picksSinceTrial++
    const now = this.#room.clock.recent()
    if (this.#picksSinceTrial < picksPerTrial && now - this.#trialAt < trialIntervalMs) return false
    // A call that has failed once already is no guinea pig.
    if (now - loser.usedAt < unusedMs || call.attempt > 1) return false
    this.#picksSinceTrial = 0
    this.#trialAt = now
    return true
  }
}

function sound(load: Load): boolean {
  return load.successRate >= soundRate
}
