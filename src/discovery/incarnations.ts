import type { Instance } from '../core/instance.ts'

/** With which incarnation each instance is announced. */
export class Incarnations {
  readonly #raised = new Map<string, number>()
  readonly #confirmed = new Set<string>()
  readonly #givenUp = new Set<string>()

  of(instance: Instance): number {
    return Math.max(instance.incarnation, this.#raised.get(instance.id) ?? 0)
  }

  /** The registry lost it: it is announced anew, and the newer one wins. */
  raise(instance: Instance): void {
    this.#raised.set(instance.id, this.of(instance) + 1)
  }

  /** Above what somebody else holds. False if there is no such number. */
  exceed(id: string, held: number): boolean {
    if (held >= Number.MAX_SAFE_INTEGER) return false
    this.#raised.set(id, held + 1)
    return true
  }

  /** The registry took it. */
  confirm(instance: Instance): void {
    this.#confirmed.add(instance.id)
  }

  wasConfirmed(id: string): boolean {
    return this.#confirmed.has(id)
  }

  /** Somebody else has the id now. */
  giveUp(id: string): void {
    this.#givenUp.add(id)
  }

  isGivenUp(id: string): boolean {
    return this.#givenUp.has(id)
  }
}
