import type { Candidate, CandidateState } from '../balancers/balancer.ts'
import type { Load } from '../balancers/load.ts'
import type { Instance } from '../core/instance.ts'

/** A candidate whose state and load a test sets as it likes. */
export interface FakeCandidate extends Candidate {
  instance: Instance
  state: CandidateState
  readonly load: { -readonly [K in keyof Load]: Load[K] }
}

/** Makes a candidate named `id`: ready, idle of calls, and never measured unless told otherwise. */
export function fakeCandidate(
  id: string,
  given: { state?: CandidateState; weight?: number; load?: Partial<Load> } = {},
): FakeCandidate {
  return {
    instance: fakeInstance(id, given.weight),
    endpoint: { protocol: 'farcall', address: { transport: 'memory', name: id } },
    state: given.state ?? 'ready',
    load: { inFlight: 0, latencyMs: 0, successRate: 1, usedAt: 0, ...given.load },
  }
}

/** An instance of that id that is up and offers nothing in particular. */
export function fakeInstance(id: string, weight = 1): Instance {
  const endpoints = [{ protocol: 'farcall', address: { transport: 'memory' as const, name: id } }]
  return { id, incarnation: 1, services: [], endpoints, weight, zone: undefined, metadata: {}, status: 'up' }
}
