/** What is known of how an endpoint is doing. Kept by the pool, read by balancers. */
export interface Load {
  /** Calls that have not ended. */
  readonly inFlight: number
  /** Moving average of the time to the reply's beginning, in milliseconds; 0 before the first. */
  readonly latencyMs: number
  /** Moving share of calls that did not fail for the endpoint's own fault, 0 to 1; 1 before the first. */
  readonly successRate: number
  /** When a call was last given to it, by the clock; 0 if never. */
  readonly usedAt: number
}
