import { allocate } from '#platform'

// Smaller ones are cheap to make anew.
const leastBytes = 32 * 1024
const mostBytes = 2 ** 30
// Of each size.
const keptBytes = 8 * 1024 * 1024

/**
 * Large buffers that have been used, for whoever needs one next, in sizes of powers of two. Bytes live outside of V8's heap,
 * which is collected as a whole for every few dozen MiB of them, and new memory is slow to write to for the first time: with
 * new buffers for each message an echo of 64 KiB cost 20 times as much as one of 16. They are held weakly, so that
 * what is not used goes with the next such collection.
 */
export class SpareBuffers {
  readonly #bySize = new Map<number, WeakRef<Uint8Array>[]>()

  /** At least so many bytes, less than twice as many, with whatever is in them. */
  take(size: number): Uint8Array {
    const rounded = sizeFor(size)
    const spare = this.#bySize.get(rounded)
    for (let one = spare?.pop(); one !== undefined; one = spare?.pop()) {
      const bytes = one.deref()
      if (bytes !== undefined) return bytes
    }
    return allocate(rounded)
  }

  /** Takes a whole buffer that nobody reads any more; one of another size is left to the garbage collector. */
  give(bytes: Uint8Array): void {
    const { length } = bytes
    if (length < leastBytes || length !== sizeFor(length)) return
    let spare = this.#bySize.get(length)
    if (spare === undefined) this.#bySize.set(length, (spare = []))
    spare.push(new WeakRef(bytes))
    if (spare.length * length > keptBytes) spare.shift()
  }
}

/** Those of the process. */
export const spareBuffers = new SpareBuffers()

function sizeFor(size: number): number {
  return size < leastBytes || size > mostBytes ? size : 2 ** (32 - Math.clz32(size - 1))
}
