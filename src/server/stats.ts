import type { Call, Outcome } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { ErrorCode } from '../core/code.ts'
import type { Handler } from '../core/layer.ts'
import { Histogram, type Latency } from './histogram.ts'

/** What a server knows of one method since it was made. */
export interface MethodStats {
  readonly service: string
  readonly method: string
  /** Calls that have ended, also those that failed. */
  readonly calls: number
  /** Calls that have not ended, streams among them. */
  readonly inFlight: number
  /** How many ended with each error code; a code that never occurred is absent. */
  readonly errors: Readonly<Partial<Record<ErrorCode, number>>>
  /** From the arrival of a call to its end; for a stream that is its last item. */
  readonly latency: Latency
}

interface Counters {
  readonly service: string
  readonly method: string
  calls: number
  inFlight: number
  readonly errors: Map<ErrorCode, number>
  readonly latency: Histogram
}

/**
 * Counts calls. It costs a call one shared listener, one look at the clock and no allocation. Names that no service
 * has share one entry (`?`), so that a stranger cannot make it grow.
 */
export class CallStats {
  readonly #clock: Clock
  readonly #known: (service: string, method: string) => boolean
  readonly #services = new Map<string, Map<string, Counters>>()
  readonly #unknown = counters('?', '?')
  // Calls come in runs of the same method, and its names are mostly the very same strings.
  #last = this.#unknown

  constructor(clock: Clock, known: (service: string, method: string) => boolean) {
    this.#clock = clock
    this.#known = known
  }

  /** Calls that have not ended. */
  inFlight = 0

  /** Counts what goes through a handler. */
  observe(next: Handler): Handler {
    return (call) => {
      const counted = this.#of(call)
      this.inFlight++
      counted.inFlight++
      // A name may become known while a call of it waits; what was counted under `?` ends there.
      call.onEnd(counted === this.#unknown ? this.#onUnknownEnd : this.#onEnd)
      return next(call)
    }
  }

  read(): MethodStats[] {
    const all = [...this.#services.values()].flatMap((methods) => [...methods.values()])
    if (this.#unknown.calls + this.#unknown.inFlight > 0) all.push(this.#unknown)
    return all.map(({ errors, latency, ...rest }) => ({
      ...rest,
      errors: Object.fromEntries(errors),
      latency: latency.read(),
    }))
  }

  // The call is its own outcome.
  readonly #onEnd = (outcome: Outcome): void => this.#count(outcome as Call, this.#of(outcome as Call))
  readonly #onUnknownEnd = (outcome: Outcome): void => this.#count(outcome as Call, this.#unknown)

  #count(call: Call, counted: Counters): void {
    this.inFlight--
    counted.inFlight--
    counted.calls++
    // Asked for the time anew: `recent` may be as old as the call where nothing else arrived meanwhile, and a handler
    // that blocks the loop is just what one wants to see here.
    counted.latency.add(this.#clock.now() - call.startedAt)
    if (call.error !== undefined) {
      const { code } = call.error
      counted.errors.set(code, (counted.errors.get(code) ?? 0) + 1)
    }
  }

  #of(call: Call): Counters {
    const { service, method } = call
    if (this.#last.service === service && this.#last.method === method) return this.#last
    const found = this.#services.get(service)?.get(method) ?? this.#first(service, method)
    this.#last = found
    return found
  }

  #first(service: string, method: string): Counters {
    if (!this.#known(service, method)) return this.#unknown
    const made = counters(service, method)
    const methods = this.#services.get(service)
    if (methods === undefined) this.#services.set(service, new Map([[method, made]]))
    else methods.set(method, made)
    return made
  }
}

function counters(service: string, method: string): Counters {
  return { service, method, calls: 0, inFlight: 0, errors: new Map(), latency: new Histogram() }
}
