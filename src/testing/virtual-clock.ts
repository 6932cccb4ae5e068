import { defer, nextTurn } from '#platform'
import { type Cancel, type Clock, createClock } from '../core/clock.ts'

/** A clock that stands still until a test moves it. */
export interface VirtualClock extends Clock {
  /** Timers that are waiting and would keep a process alive. */
  readonly timers: number
  /** Timers of housekeeping that are waiting (`afterInBackground`); the deadline wheel has at most one. */
  readonly backgroundTimers: number
  /**
   * Moves time forward and fires what becomes due, in order; timers of the same moment in the order in which they
   * were started. Before, between and after timers all promise reactions, deferred functions and deliveries of the
   * memory transport run to their end. Rejects with what a timer throws.
   */
  advance(ms: number): Promise<void>
  /** Lets everything run that needs no time to pass. The same as `advance(0)`. */
  settle(): Promise<void>
  /**
   * Advances from timer to timer until only those of housekeeping are left.
   * @throws Error when timers remain after `maxMs` (default an hour).
   */
  runUntilIdle(maxMs?: number): Promise<void>
}

interface Timer {
  readonly due: number
  readonly background: boolean
  readonly fn: () => void
}

/** Makes a clock for tests that shows `start` milliseconds. */
export function createVirtualClock(start = 0): VirtualClock {
  let now = start
  let moving = false
  const waiting: Timer[] = []

  function startTimer(ms: number, fn: () => void, background: boolean): Cancel {
    const timer: Timer = { due: now + Math.max(0, ms), background, fn }
    // After all that are due at the same moment: first started, first fired.
    let at = waiting.length
    while (at > 0 && (waiting[at - 1] as Timer).due > timer.due) at--
    waiting.splice(at, 0, timer)
    return () => {
      const index = waiting.indexOf(timer)
      if (index !== -1) waiting.splice(index, 1)
    }
  }

  async function advanceTo(target: number, goOn: () => boolean): Promise<void> {
    if (moving)
      throw new Error('the virtual clock is already being advanced; await one advance before the next')
    moving = true
    try {
      await turn()
      for (let timer = waiting[0]; timer !== undefined && timer.due <= target && goOn(); timer = waiting[0]) {
        waiting.shift()
        now = Math.max(now, timer.due)
        timer.fn()
        await turn()
      }
    } finally {
      moving = false
    }
  }

  const count = (background: boolean) => waiting.filter((timer) => timer.background === background).length
  const always = () => true
  const clock = createClock({
    now: () => now,
    after: (ms, fn) => startTimer(ms, fn, false),
    afterInBackground: (ms, fn) => startTimer(ms, fn, true),
    defer,
    nextTurn,
  })
  const advance = async (ms: number) => {
    const target = now + ms
    await advanceTo(target, always)
    now = target
  }
  const virtual = {
    advance,
    settle: () => advance(0),
    async runUntilIdle(maxMs = 3_600_000) {
      const target = now + maxMs
      await advanceTo(target, () => count(false) > 0)
      if (count(false) > 0)
        throw new Error(`timers still waiting: ${count(false)}, after ${maxMs} ms of virtual time`)
    },
    get timers() {
      return count(false)
    },
    get backgroundTimers() {
      return count(true)
    },
  }
  return Object.defineProperties(clock, Object.getOwnPropertyDescriptors(virtual)) as VirtualClock
}

/**
 * Some turns of the event loop: the first drains promise reactions and deferred functions, whatever they start among
 * themselves; the others do so for what arrived by `setImmediate`.
 */
async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}
