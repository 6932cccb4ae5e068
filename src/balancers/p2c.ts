import type { Call } from '../core/call.ts'
import type { Balancer, BalancerRoom, Candidate, Picker } from './balancer.ts'
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
  readonly #room: BalancerRoom
  #picksSinceTrial = 0
  #trialAt: number

  constructor(among: readonly Candidate[], room: BalancerRoom) {
    this.#among = among
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
      const a = this.#among[first] as Candidate
      const b = this.#among[step < first ? step : step + 1] as Candidate
      const aWins = sound(a) === sound(b) ? cost(a) <= cost(b) : sound(a)
      if (this.#isDue(aWins ? b : a, call)) return aWins ? b : a
      const winner = aWins ? a : b
      if (pair === maxPairs || count === 2 || sound(winner)) return winner
    }
  }

  #isDue(loser: Candidate, call: Call): boolean {
    this.#picksSinceTrial++
    const now = this.#room.clock.recent()
    // A call that has failed once already is no guinea pig.
    if (now - loser.load.usedAt < unusedMs || call.attempt > 1) return false
    if (this.#picksSinceTrial < picksPerTrial && now - this.#trialAt < trialIntervalMs) return false
    this.#picksSinceTrial = 0
    this.#trialAt = now
    return true
  }
}

function sound(candidate: Candidate): boolean {
  return candidate.load.successRate >= soundRate
}

function cost(candidate: Candidate): number {
  const { inFlight, latencyMs, successRate } = candidate.load
  const weight = weightOf(candidate)
  if (latencyMs > 0) return ((inFlight + 1) * latencyMs) / (Math.max(successRate, 0.001) * weight)
  return inFlight === 0 && successRate === 1 ? 0 : (unmeasuredMs * (inFlight + 1)) / weight
}
