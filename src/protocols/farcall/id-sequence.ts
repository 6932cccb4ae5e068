import { RpcError } from '../../core/error.ts'

/**
 * The ids of the calls of one connection, as the callee sees them. A call begins with its first frame, and these come
 * with growing ids; but one that is sent in parts may be overtaken by smaller ones before it is whole.
 */
export class IdSequence {
  readonly #partial = new Set<number>()
  #last = 0

  /** The last id that was begun. */
  get last(): number {
    return this.#last
  }

  /** The first part of a message has come. Parts of what already has begun change nothing. */
  beginPart(id: number): void {
    if (id <= this.#last) return
    this.#last = id
    this.#partial.add(id)
  }

  /** A whole call has come. @throws RpcError `invalid_argument` if its id was used before. */
  begin(id: number): void {
    if (this.#partial.delete(id)) return
    if (id <= this.#last) throw new RpcError('invalid_argument', `call id ${id} was used before`)
    this.#last = id
  }

  /** A call that had come in part is not wanted any more. */
  forget(id: number): void {
    this.#partial.delete(id)
  }
}
