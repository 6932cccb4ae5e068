import type { Candidate, CandidateState } from './balancer.ts'

/**
 * The candidates that a picker should choose among: those that are ready; where there are none, those that are or can
 * be connected; where there are none either, all of them, for if everything seems to fail, what we believe about it
 * is worth little. Candidates of weight 0 are left out unless there are no others.
 */
export function usable(candidates: readonly Candidate[]): readonly Candidate[] {
  const weighed = candidates.filter(({ instance }) => instance.weight > 0)
  const wanted = weighed.length > 0 ? weighed : candidates
  const ready = inState(wanted, 'ready')
  if (ready.length > 0) return ready
  const coming = inState(wanted, 'idle', 'connecting')
  return coming.length > 0 ? coming : wanted
}

function inState(
  candidates: readonly Candidate[],
  ...states: readonly CandidateState[]
): readonly Candidate[] {
  // The usual case, and the cheapest: all of them are.
  if (candidates.every(({ state }) => states.includes(state))) return candidates
  return candidates.filter(({ state }) => states.includes(state))
}
