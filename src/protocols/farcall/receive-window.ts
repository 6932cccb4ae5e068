import { RpcError } from '../../core/error.ts'
import { initialWindowBytes } from './frames.ts'

// Half of the smallest window that a sender may reckon with, and of all streams together: if each stream held back so
// much for itself, many could use up the connection's window, and the sender would wait for us as we wait for it.
const giveBackBytes = initialWindowBytes / 2

/** Tells the sender of a stream that so much of it was taken. */
export type GiveBack = (id: number, amount: number) => void

/** What was taken from the streams of a connection and its sender has not been told of yet. */
export class ReceiveCredit {
  readonly #giveBack: GiveBack
  readonly #waiting = new Set<ReceiveWindow>()
  #held = 0

  constructor(giveBack: GiveBack) {
    this.#giveBack = giveBack
  }

  /** The window for a new stream. */
  open(id: number, windowBytes: number): ReceiveWindow {
    return new ReceiveWindow(id, windowBytes, this)
  }

  /** So much was taken from a stream. */
  hold(window: ReceiveWindow, cost: number): void {
    if (window.held === 0) this.#waiting.add(window)
    window.held += cost
    this.#held += cost
    // Often enough not to stall, seldom enough not to cost.
    if (this.#held < giveBackBytes) return
    for (const one of this.#waiting) this.#giveBack(one.id, one.release())
    this.#waiting.clear()
    this.#held = 0
  }

  /** The stream has ended: its sender has its credit back by itself. */
  forget(window: ReceiveWindow): void {
    if (this.#waiting.delete(window)) this.#held -= window.held
    window.held = 0
  }
}

/** How much of one stream may come: what was taken is given back to the sender as credit. */
export class ReceiveWindow {
  readonly id: number
  /** Taken, and not given back. */
  held = 0
  readonly #credit: ReceiveCredit
  #left: number
  #open = true

  constructor(id: number, windowBytes: number, credit: ReceiveCredit) {
    this.id = id
    this.#left = windowBytes
    this.#credit = credit
  }

  /** An item has come. @throws RpcError `resource_exhausted` if the sender had no credit for it. */
  receive(cost: number): void {
    if (this.#left <= 0) {
      throw new RpcError(
        'resource_exhausted',
        `the items of call ${this.id} exceed the credit that was given`,
      )
    }
    this.#left -= cost
  }

  /** It was taken. */
  take(cost: number): void {
    if (this.#open) this.#credit.hold(this, cost)
  }

  /** What is held back may come again; returns how much that is. */
  release(): number {
    const { held } = this
    this.held = 0
    this.#left += held
    return held
  }

  /** The stream has ended. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#credit.forget(this)
  }
}
