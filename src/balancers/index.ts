import { RpcError } from '../core/error.ts'
import { avoiding } from './avoiding.ts'
import type { Balancer } from './balancer.ts'
import { consistentHash } from './consistent-hash.ts'
import { p2c } from './p2c.ts'
import { random } from './random.ts'
import { roundRobin } from './round-robin.ts'
import { smoothWeighted } from './smooth-weighted.ts'

export { avoiding } from './avoiding.ts'
export type { Balancer, BalancerRoom, Candidate, CandidateState, Picker } from './balancer.ts'
export type { ConsistentHashOptions } from './consistent-hash.ts'
export type { Load } from './load.ts'
export { consistentHash, p2c, random, roundRobin, smoothWeighted }

/** What `connect` takes as `balancer`, beside a policy of one's own. */
export type BalancerName = 'p2c' | 'round-robin' | 'weighted-round-robin' | 'random' | 'consistent-hash'

/** The balancers that come with Farcall, by name. All of them prefer what a retried call has not tried yet. */
export const balancers: Readonly<Record<BalancerName, Balancer>> = /* @__PURE__ */ all()

// A function of which a bundler is told that it does nothing else: whoever names one balancer does not get the others.
function all(): Readonly<Record<BalancerName, Balancer>> {
  return {
    p2c: avoiding(p2c),
    'round-robin': avoiding(roundRobin),
    'weighted-round-robin': avoiding(smoothWeighted),
    random: avoiding(random),
    'consistent-hash': avoiding(consistentHash()),
  }
}

/**
 * The balancer of that name, among ours unless others are given.
 * @throws RpcError `invalid_argument` that lists the known names.
 */
export function balancerNamed(name: string, known: Readonly<Record<string, Balancer>> = balancers): Balancer {
  const found = Object.hasOwn(known, name) ? known[name] : undefined
  if (found !== undefined) return found
  const names = Object.keys(known).join(', ')
  throw new RpcError('invalid_argument', `unknown balancer '${name.slice(0, 64)}'; known are: ${names}`)
}
