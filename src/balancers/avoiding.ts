import type { Call } from '../core/call.ts'
import type { Balancer, Candidate, Picker } from './balancer.ts'

const maxPicks = 8

/**
 * A balancer that prefers candidates that a call has not tried yet (`call.tried`). It asks its own picker first, a few
 * times over; one that keeps to the same candidate is overruled with the next untried one from a random place on, even
 * one that has yet to be connected. Only when all that do not fail were tried is one picked again. Calls that have not been retried pay one comparison.
 */
export function avoiding(balancer: Balancer): Balancer {
  return (candidates, room) => {
    const { previous } = room
    const own = previous instanceof AvoidingPicker ? previous.own : undefined
    return new AvoidingPicker(balancer(candidates, { ...room, previous: own }), candidates, room.random)
  }
}

class AvoidingPicker implements Picker {
  /** The picker of the balancer that does not know of retries. */
  readonly own: Picker
  readonly #candidates: readonly Candidate[]
  readonly #random: () => number

  constructor(own: Picker, candidates: readonly Candidate[], random: () => number) {
    this.own = own
    this.#candidates = candidates
    this.#random = random
  }

  pick(call: Call): Candidate | undefined {
    const { tried } = call
    if (tried === undefined || tried.size === 0) return this.own.pick(call)
    return (
      pickUntried(this.own, call, tried) ??
      anyUntried(this.#candidates, tried, this.#random()) ??
      this.own.pick(call)
    )
  }
}

function pickUntried(picker: Picker, call: Call, tried: ReadonlySet<unknown>): Candidate | undefined {
  for (let i = 0; i < maxPicks; i++) {
    const picked = picker.pick(call)
    if (picked === undefined || !tried.has(picked)) return picked
  }
  return undefined
}

function anyUntried(
  among: readonly Candidate[],
  tried: ReadonlySet<unknown>,
  from: number,
): Candidate | undefined {
  const start = Math.floor(from * among.length)
  for (let i = 0; i < among.length; i++) {
    const candidate = among[(start + i) % among.length]
    if (candidate !== undefined && candidate.state !== 'failing' && !tried.has(candidate)) return candidate
  }
  return undefined
}
