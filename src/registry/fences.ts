/**
 * Leases that were given back, and up to which incarnation: a registration that was sent before that and arrives late
 * must not bring the lease back to life.
 */
export class Fences {
  readonly #max: number
  readonly #maxAgeMs: number
  // In the order of their time, because each is put at the end anew.
  readonly #fences = new Map<string, { readonly incarnation: number; readonly at: number }>()

  constructor(max: number, maxAgeMs: number) {
    this.#max = max
    this.#maxAgeMs = maxAgeMs
  }

  add(lease: string, incarnation: number, now: number): void {
    const known = this.#fences.get(lease)?.incarnation ?? 0
    this.#fences.delete(lease)
    this.#fences.set(lease, { incarnation: Math.max(known, incarnation), at: now })
    this.trim(now)
  }

  /** Whether an incarnation is not newer than what was given back. */
  holds(lease: string, incarnation: number): boolean {
    const fence = this.#fences.get(lease)
    return fence !== undefined && incarnation <= fence.incarnation
  }

  trim(now: number): void {
    for (const [lease, fence] of this.#fences) {
      if (this.#fences.size <= this.#max && now - fence.at <= this.#maxAgeMs) return
      this.#fences.delete(lease)
    }
  }
}
