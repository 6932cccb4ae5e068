/** The numbers below a count, each at most once: the one with the least key comes first, of equal keys the least number. */
export class IndexHeap {
  readonly #keys: Float64Array
  readonly #items: Uint32Array
  #size = 0

  /** `keys` are read whenever two numbers are compared: that of a number must not change while it is in here. */
  constructor(keys: Float64Array) {
    this.#keys = keys
    this.#items = new Uint32Array(keys.length)
  }

  get size(): number {
    return this.#size
  }

  /** The key of the first; Infinity where there is none. */
  get leastKey(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#keys[this.#items[0] as number] as number)
  }

  push(item: number): void {
    const items = this.#items
    let at = this.#size++
    while (at > 0) {
      const above = (at - 1) >>> 1
      const other = items[above] as number
      if (!this.#before(item, other)) break
      items[at] = other
      at = above
    }
    items[at] = item
  }

  /** Takes out the first. There must be one. */
  pop(): number {
    const items = this.#items
    const first = items[0] as number
    const size = --this.#size
    const last = items[size] as number
    let at = 0
    for (let below = 1; below < size; below = 2 * at + 1) {
      if (below + 1 < size && this.#before(items[below + 1] as number, items[below] as number)) below++
      const other = items[below] as number
      if (!this.#before(other, last)) break
      items[at] = other
      at = below
    }
    items[at] = last
    return first
  }

  #before(a: number, b: number): boolean {
    const difference = (this.#keys[a] as number) - (this.#keys[b] as number)
    return difference < 0 || (difference === 0 && a < b)
  }
}
