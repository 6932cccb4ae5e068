import { RpcError } from '../../core/error.ts'

// A client has no more calls than this under way at once by our limits' default; what it never uses is forgotten.
const maxSkipped = 1024

/**
 * The ids of the calls of one connection, as the callee sees them: they grow, and none is used twice. But a call that
 * is sent in parts may be overtaken, by calls with higher ids, before its first part or before it is whole.
 */
export class IdSequence {
  /** Below the highest, and not begun; oldest first. */
  readonly #skipped = new Set<number>()
  /** Begun by a part, and not whole. */
  readonly #partial = new Set<number>()
  #last = 0

  /** The highest id that was begun. */
  get last(): number {
    return this.#last
  }

  /** The first part of a call may have come. Returns whether it belongs to a call that is under way like this. */
  beginPart(id: number): boolean {
    if (this.#partial.has(id)) return true
    if (!this.#begin(id)) return false
    this.#partial.add(id)
    return true
  }

  /** A whole call has come. @throws RpcError `invalid_argument` if its id was used before. */
  begin(id: number): void {
    if ((this.#partial.size > 0 && this.#partial.delete(id)) || this.#begin(id)) return
    throw new RpcError('invalid_argument', `call id ${id} was used before`)
  }

  /** A call was given up before it was whole. */
  forget(id: number): void {
    this.#partial.delete(id)
    this.#skipped.delete(id)
  }

  #begin(id: number): boolean {
    if (id <= this.#last) return this.#skipped.delete(id)
    for (let skipped = Math.max(this.#last + 1, id - maxSkipped); skipped < id; skipped++) this.#skip(skipped)
    this.#last = id
    return true
  }

  #skip(id: number): void {
    this.#skipped.add(id)
    if (this.#skipped.size <= maxSkipped) return
    const [oldest] = this.#skipped
    this.#skipped.delete(oldest as number)
  }
}
