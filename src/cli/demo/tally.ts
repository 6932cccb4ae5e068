import type { Call, Candidate, Layer } from '../../node.ts'

/** What the client has seen of one server. */
export interface Seen {
  calls: number
  /** Lost with the server: it may have carried them out, or not. */
  lost: number
  inFlight: number
  /** How long the last calls took, in milliseconds. */
  readonly recent: number[]
}

const kept = 500

/**
 * Counts calls by who answered them. It is a layer around each attempt, which hears of the attempt's end and knows whom
 * it went to: a layer of one's own is no more than this.
 */
export class Tally {
  readonly #servers = new Map<string, Seen>()
  readonly #open = new Set<Call>()
  /** Who answered last. */
  last = ''

  readonly layer: Layer = (next) => (call) => {
    const reply = next(call)
    const server = serverOf(call)
    if (server !== undefined && !call.ended) {
      this.#open.add(call)
      this.of(server).inFlight++
    }
    call.onEnd(({ error, notExecuted, startedAt, endedAt }) => {
      this.last = serverOf(call) ?? 'nobody'
      const seen = this.of(this.last)
      if (this.#open.delete(call)) seen.inFlight--
      if (error?.code === 'unavailable') {
        if (!notExecuted) seen.lost++
        return
      }
      seen.calls++
      seen.recent.push(endedAt - startedAt)
      if (seen.recent.length > kept) seen.recent.shift()
    })
    return reply
  }

  /** What was seen of a server; nothing yet, to begin with. */
  of(server: string): Seen {
    const known = this.#servers.get(server)
    if (known !== undefined) return known
    const made: Seen = { calls: 0, lost: 0, inFlight: 0, recent: [] }
    this.#servers.set(server, made)
    return made
  }
}

function serverOf(call: Call): string | undefined {
  return (call.candidate as Candidate | undefined)?.instance.id
}

/** The time that a share of the calls stayed below. */
export function percentile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
