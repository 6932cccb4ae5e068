import { RpcError } from '../../core/error.ts'
import { frameTypes, initialWindowBytes } from './frames.ts'
import type { Link } from './link.ts'

// Half of the smallest window that a sender may reckon with, or it could wait for us as we wait for it. Often enough
// not to stall, seldom enough not to cost.
const giveBackBytes = initialWindowBytes / 2

/** How much of one stream may come: what was taken is given back to the sender as credit. */
export class ReceiveWindow {
  readonly #link: Link
  readonly #id: number
  #left: number
  #taken = 0
  #open = true

  constructor(link: Link, id: number) {
    this.#link = link
    this.#id = id
    this.#left = link.room.limits.streamWindowBytes
  }

  /** An item has come. @throws RpcError `resource_exhausted` if the sender had no credit for it. */
  receive(cost: number): void {
    if (this.#left <= 0) {
      throw new RpcError(
        'resource_exhausted',
        `the items of call ${this.#id} exceed the credit that was given`,
      )
    }
    this.#left -= cost
  }

  /** It was taken. */
  take(cost: number): void {
    this.#taken += cost
    if (this.#taken < giveBackBytes || !this.#open) return
    this.#left += this.#taken
    this.#link.sendSmall(frameTypes.credit, this.#id, this.#taken)
    this.#taken = 0
  }

  /** The stream has ended: its sender has all its credit back by itself. */
  close(): void {
    this.#open = false
  }
}
