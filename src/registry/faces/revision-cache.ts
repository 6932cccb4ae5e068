import type { RegistryStore } from '../store.ts'

// More different questions than older peers have.
const maxKept = 32

/** Answers that hold until something changes in the registry, so that a thousand who poll cost as much as one. */
export class RevisionCache<T> {
  readonly #store: RegistryStore
  readonly #answers = new Map<string, T>()
  #revision = ''

  constructor(store: RegistryStore) {
    this.#store = store
  }

  get(question: string, make: () => T): T {
    const { revision } = this.#store
    if (revision !== this.#revision) this.clear()
    this.#revision = revision
    const known = this.#answers.get(question)
    if (known !== undefined) return known
    const made = make()
    if (this.#answers.size < maxKept) this.#answers.set(question, made)
    return made
  }

  clear(): void {
    this.#answers.clear()
  }
}
