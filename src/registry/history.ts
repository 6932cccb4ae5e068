import type { GoneReason } from '../discovery/api/messages.ts'
import type { Held } from './held.ts'

/** What happened to one instance. */
export interface HeldChange {
  readonly id: string
  readonly before: Held | undefined
  readonly after: Held | undefined
  /** Why it is gone, where it is. */
  readonly reason?: GoneReason
  /** How long before it was gone it was heard of for the last time. */
  readonly lastSeenMs?: number
}

/** What happened in one step: watchers see all of it or nothing. */
interface Transaction {
  readonly at: number
  readonly changes: readonly HeldChange[]
}

/** The last changes, in order; each step has the next number. */
export class History {
  readonly #maxChanges: number
  readonly #maxAgeMs: number
  #steps: Transaction[] = []
  /** How many steps at the front of the array are forgotten already. */
  #skipped = 0
  #changes = 0
  #counter = 0

  constructor(maxChanges: number, maxAgeMs: number) {
    this.#maxChanges = maxChanges
    this.#maxAgeMs = maxAgeMs
  }

  /** The number of the last step; 0 if there was none. */
  get counter(): number {
    return this.#counter
  }

  add(changes: readonly HeldChange[], now: number): void {
    this.#steps.push({ at: now, changes })
    this.#changes += changes.length
    this.#counter++
    this.trim(now)
  }

  /** Forgets what is too old or too much; the last step is always known. */
  trim(now: number): void {
    for (let step = this.#steps[this.#skipped]; step !== undefined; step = this.#steps[this.#skipped]) {
      const isLast = this.#skipped === this.#steps.length - 1
      if (isLast || (this.#changes <= this.#maxChanges && now - step.at <= this.#maxAgeMs)) break
      this.#changes -= step.changes.length
      this.#skipped++
    }
    // Cut now and then, so that forgetting costs the same however long the history is.
    if (this.#skipped > 1_000 && this.#skipped > this.#steps.length / 2) {
      this.#steps = this.#steps.slice(this.#skipped)
      this.#skipped = 0
    }
  }

  /** All changes after the step with this number, in order; to be asked only if it {@link reaches}. */
  *since(counter: number): Iterable<HeldChange> {
    const first = this.#steps.length - (this.#counter - counter)
    for (let at = first; at < this.#steps.length; at++) yield* this.#steps[at]?.changes ?? []
  }

  /** Whether {@link since} can tell. */
  reaches(counter: number): boolean {
    return counter <= this.#counter && counter >= this.#counter - (this.#steps.length - this.#skipped)
  }
}
