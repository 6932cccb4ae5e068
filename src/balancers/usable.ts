import type { Candidate, CandidateState } from './balancer.ts'

/**
 * The candidates that a picker should choose among: those that are ready; where there are none, those that are or can
 * be connected; where there are none either, all of them, for if everything seems to fail, what we believe about it
 * is worth little. Candidates of weight 0 are left out unless there are no others.
 */
export function usable(candidates: readonly Candidate[]): readonly Candidate[] {
  const wanted = weighed(candidates)
  const ready = inState(wanted, 'ready')
  if (ready.length > 0) return ready
  const coming = inState(wanted, 'idle', 'connecting')
  return coming.length > 0 ? coming : wanted
}

/** Those that weigh something; all, where nobody does. */
export function weighed(candidates: readonly Candidate[]): readonly Candidate[] {
  const some = candidates.filter(({ instance }) => instance.weight > 0)
  return some.length > 0 ? some : candidates
}

/** What a usable candidate weighs beside the others: above 0, for where all weigh 0 they are alike. */
export function weightOf({ instance }: Candidate): number {
  return instance.weight > 0 && Number.isFinite(instance.weight) ? instance.weight : 1
}

function inState(
  candidates: readonly Candidate[],
  ...states: readonly CandidateState[]
): readonly Candidate[] {
  // The usual case, and the cheapest: all of them are.
  if (candidates.every(({ state }) => states.includes(state))) return candidates
  return candidates.filter(({ state }) => states.includes(state))
}
