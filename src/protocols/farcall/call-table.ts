const smallest = 16
const largest = 4096

/**
 * The calls of one side of a connection that have not ended, by id. Ids grow and most calls end soon, so those that live
 * are close together: each has the slot that the low bits of its id name, and only one that outlives many others is
 * moved to a map. A map alone would make a new table for every few calls (240 bytes a call, of 4,700 on both sides).
 */
export class CallTable<T extends { readonly id: number }> {
  #slots: (T | undefined)[] = Array.from({ length: smallest })
  readonly #others = new Map<number, T>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** No other call may have the id. */
  add(call: T): void {
    if (this.#size >= this.#slots.length && this.#slots.length < largest) this.#grow()
    this.#size++
    this.#place(call)
  }

  get(id: number): T | undefined {
    const found = this.#slots[id & (this.#slots.length - 1)]
    if (found !== undefined && found.id === id) return found
    return this.#others.size === 0 ? undefined : this.#others.get(id)
  }

  has(id: number): boolean {
    return this.get(id) !== undefined
  }

  /** Whether it was there. */
  delete(id: number): boolean {
    const slot = id & (this.#slots.length - 1)
    if (this.#slots[slot]?.id === id) this.#slots[slot] = undefined
    else if (!this.#others.delete(id)) return false
    this.#size--
    return true
  }

  /** All of them as they are now, the oldest first; they may be deleted meanwhile. */
  all(): readonly T[] {
    const slotted = this.#slots.filter((call) => call !== undefined)
    return [...slotted, ...this.#others.values()].sort((a, b) => a.id - b.id)
  }

  #place(call: T): void {
    const slot = call.id & (this.#slots.length - 1)
    const before = this.#slots[slot]
    if (before !== undefined) this.#others.set(before.id, before)
    this.#slots[slot] = call
  }

  #grow(): void {
    const calls = this.all()
    this.#slots = Array.from({ length: this.#slots.length * 2 })
    this.#others.clear()
    for (const call of calls) this.#place(call)
  }
}
