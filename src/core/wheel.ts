/** Something with a deadline. The links belong to the wheel: adding and removing allocate nothing. */
export interface Timed {
  due: number
  before: Timed | undefined
  after: Timed | undefined
  /** The slot it waits in, or -1; -2 while it is due and about to be told. */
  slot: number
  /** Called once, at `due` or up to one tick later, never earlier. */
  onDue(): void
}

interface WheelTime {
  now(): number
  afterInBackground(ms: number, fn: () => void): () => void
}

/** How exactly deadlines are kept, in milliseconds. */
export const tickMs = 4
const slots = 4096
// The longest that the timer is set for: a timer of the platform overflows after 24 days, and then fires at once.
const maxWaitMs = slots * tickMs
const idle = -1
const aboutToBeTold = -2

/**
 * A hashed timer wheel (Varghese and Lauck, 1987): all deadlines of a process under one timer. Almost every deadline
 * is removed before it is due, so adding and removing must cost next to nothing (a linked list a slot), and finding
 * what is due may cost a little. The timer does not keep the process alive; the sockets that calls wait for do.
 */
export class DeadlineWheel {
  readonly #time: WheelTime
  readonly #heads: (Timed | undefined)[] = Array.from({ length: slots }, () => undefined)
  #count = 0
  #swept: number
  #armedTick = Number.POSITIVE_INFINITY
  #disarm: (() => void) | undefined

  constructor(time: WheelTime) {
    this.#time = time
    this.#swept = Math.floor(time.now() / tickMs)
  }

  /** How many deadlines are waiting. */
  get size(): number {
    return this.#count
  }

  /** Adds what is in no wheel yet; one that is never due (Infinity) is left out. */
  add(timed: Timed): void {
    if (!Number.isFinite(timed.due)) return
    // A due tick is rounded up, so it is never early; one that has passed goes into the next tick to be swept.
    const tick = Math.max(Math.ceil(timed.due / tickMs), this.#swept + 1)
    const slot = tick % slots
    const head = this.#heads[slot]
    timed.slot = slot
    timed.before = undefined
    timed.after = head
    if (head !== undefined) head.before = timed
    this.#heads[slot] = timed
    this.#count++
    if (tick < this.#armedTick) this.#arm(tick)
  }

  /** Takes one back: it will not be told. Harmless for one that has been told or was never added. */
  remove(timed: Timed): void {
    if (timed.slot < 0) {
      timed.slot = idle
      return
    }
    this.#unlink(timed)
    timed.slot = idle
  }

  #unlink(timed: Timed): void {
    if (timed.before === undefined) this.#heads[timed.slot] = timed.after
    else timed.before.after = timed.after
    if (timed.after !== undefined) timed.after.before = timed.before
    timed.before = undefined
    timed.after = undefined
    this.#count--
  }

  #arm(tick: number): void {
    this.#disarm?.()
    this.#armedTick = tick
    const waitMs = Math.min(Math.max(0, tick * tickMs - this.#time.now()), maxWaitMs)
    this.#disarm = this.#time.afterInBackground(waitMs, () => {
      this.#disarm = undefined
      this.#armedTick = Number.POSITIVE_INFINITY
      this.#sweep()
    })
  }

  #sweep(): void {
    const now = this.#time.now()
    const last = Math.floor(now / tickMs)
    const due: Timed[] = []
    const steps = Math.min(last - this.#swept, slots)
    for (let step = 1; step <= steps; step++) this.#collect((this.#swept + step) % slots, now, due)
    this.#swept = Math.max(last, this.#swept)
    // Before anyone is told, so that one that throws does not take the others' time away.
    this.#armNext()
    // Slots hold the last added first; those that are due are told by their time, then as they were added.
    tell(due.reverse().sort((a, b) => a.due - b.due))
  }

  #collect(slot: number, now: number, due: Timed[]): void {
    let timed = this.#heads[slot]
    while (timed !== undefined) {
      const next = timed.after
      // The others share the slot and wait for a later round of the wheel.
      if (timed.due <= now) {
        this.#unlink(timed)
        timed.slot = aboutToBeTold
        due.push(timed)
      }
      timed = next
    }
  }

  #armNext(): void {
    if (this.#count === 0) return
    for (let step = 1; step <= slots; step++) {
      const tick = this.#swept + step
      if (this.#heads[tick % slots] !== undefined) return this.#arm(tick)
    }
  }
}

/** Tells all, also when one throws; what was thrown first goes on. */
function tell(due: readonly Timed[]): void {
  let thrown: { readonly error: unknown } | undefined
  for (const timed of due) {
    // Removed by one that was told before it, and perhaps added again.
    if (timed.slot !== aboutToBeTold) continue
    timed.slot = idle
    try {
      timed.onDue()
    } catch (error) {
      thrown ??= { error }
    }
  }
  if (thrown !== undefined) throw thrown.error
}
