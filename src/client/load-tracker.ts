import type { Load } from '../balancers/load.ts'
import type { Call, Outcome } from '../core/call.ts'
import type { RpcError } from '../core/error.ts'

// How long a slow answer is remembered: what Finagle and Linkerd found to work.
const decayMs = 10_000
// A clock that is read once per chunk may see an answer in no time at all, and 0 means "never measured".
const shortestMs = 0.01
// Share of one outcome in the success rate: seven failures in a row bring it from 1 below a half, however fast they
// come; after a quiet time one outcome says more, but never so much that a single failure condemns.
const leastShare = 0.1
const mostShare = 0.4

/**
 * Keeps what balancers go by. Latency is a peak-sensitive moving average: a slow answer counts at once and in full, and
 * is forgotten within about 10 s. Failures and cancelled calls can only raise it: failing quickly is not being quick.
 */
export class LoadTracker implements Load {
  inFlight = 0
  latencyMs = 0
  successRate = 1
  usedAt = 0
  #measuredAt = 0
  #judgedAt = 0
  readonly #freed: () => void

  /** `freed` is called whenever a call has ended. */
  constructor(freed: () => void = () => {}) {
    this.#freed = freed
  }

  /** A call goes out now. */
  start(call: Call): void {
    this.inFlight++
    this.usedAt = call.startedAt
    call.onEnd(this.#ended)
  }

  /** A call has to wait for a connection first; its time says nothing of how fast the endpoint answers. */
  wait(call: Call): void {
    this.inFlight++
    this.usedAt = call.startedAt
    call.onEnd(this.#endedAfterWait)
  }

  // Made once, so that tracking a call allocates nothing.
  readonly #ended = (outcome: Outcome): void => {
    this.#measure(outcome)
    this.#endedAfterWait(outcome)
  }

  readonly #endedAfterWait = (outcome: Outcome): void => {
    this.inFlight--
    if (outcome.error?.code !== 'cancelled') this.#judge(outcome)
    this.#freed()
  }

  #measure({ startedAt, headAt, endedAt, error }: Outcome): void {
    const sample = Math.max((headAt === 0 ? endedAt : headAt) - startedAt, shortestMs)
    if (sample >= this.latencyMs) {
      // One that was cancelled early, or failed early, before anything was measured, measures nothing.
      if (error !== undefined && this.latencyMs === 0 && error.code !== 'deadline_exceeded') return
      this.latencyMs = sample
    } else {
      if (error !== undefined && (error.code === 'cancelled' || isEndpointsFault(error))) return
      const kept = 1 - forgotten(endedAt - this.#measuredAt)
      this.latencyMs = this.latencyMs * kept + sample * (1 - kept)
    }
    this.#measuredAt = endedAt
  }

  #judge({ endedAt, error }: Outcome): void {
    const share = Math.min(mostShare, Math.max(leastShare, forgotten(endedAt - this.#judgedAt)))
    const success = error === undefined || !isEndpointsFault(error) ? 1 : 0
    this.successRate += (success - this.successRate) * share
    // Close enough to 1 is 1: it would otherwise creep up for ever.
    if (this.successRate > 0.999) this.successRate = 1
    this.#judgedAt = endedAt
  }
}

/** The share of what was known that no longer counts after so many milliseconds. */
function forgotten(ms: number): number {
  // Under load there is an answer every few microseconds: there the curve is a line, and costs no exponential.
  return ms < 10 ? ms / decayMs : 1 - Math.exp(-ms / decayMs)
}

/**
 * Whether an error speaks against the endpoint and not against the call: it could not be reached, did not answer in
 * time, is overloaded, lacks the method that others may have, or its handler failed in a way that its author did not
 * intend. Where a handler has the same fault everywhere, all candidates look equally bad, and nothing is lost.
 */
export function isEndpointsFault(error: RpcError): boolean {
  switch (error.code) {
    case 'unavailable':
    case 'deadline_exceeded':
    case 'internal':
    case 'unknown':
    case 'data_loss':
    case 'unimplemented':
      return true
    case 'resource_exhausted':
      // In phase `send` it is the caller's own message that is too large.
      return error.phase !== 'send'
    case 'cancelled':
    case 'invalid_argument':
    case 'not_found':
    case 'already_exists':
    case 'permission_denied':
    case 'failed_precondition':
    case 'aborted':
    case 'out_of_range':
    case 'unauthenticated':
      return false
  }
}
