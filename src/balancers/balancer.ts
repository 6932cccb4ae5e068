import type { Call } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { Endpoint } from '../core/endpoint.ts'
import type { Instance } from '../core/instance.ts'
import type { Random } from '../core/random.ts'
import type { Load } from './load.ts'

/**
 * A policy: it makes an immutable picker from the candidates there are. It is asked again at each change of the set
 * or of a candidate's state; filters (protocol, version, zone, metadata) have run before.
 */
export type Balancer = (candidates: readonly Candidate[], room: BalancerRoom) => Picker

export interface BalancerRoom {
  readonly clock: Clock
  readonly random: Random
  /**
   * The picker that the new one replaces, as this balancer made it; undefined at first, and where for a time there was
   * nobody to pick. A policy that goes on where it was takes what it needs from it, and does not hold on to it.
   */
  readonly previous?: Picker | undefined
}

export interface Picker {
  /** Never waits, does no I/O. Undefined means: wait for the next picker, within the deadline. */
  pick(call: Call): Candidate | undefined
}

export type CandidateState = 'idle' | 'connecting' | 'ready' | 'failing'

/** One endpoint that can be chosen. It lives as long as the endpoint, over many pickers. */
export interface Candidate {
  readonly instance: Instance
  readonly endpoint: Endpoint
  /** `idle` connects when it is picked; `failing` could not be connected to and waits before it tries again. */
  readonly state: CandidateState
  readonly load: Load
}
