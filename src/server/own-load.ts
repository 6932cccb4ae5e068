import type { Clock } from '../core/clock.ts'

/**
 * What a process says of its own load. Times grow from its beginning on: what was between two readings is their
 * difference.
 */
export interface LoadReading {
  /** Milliseconds of processor time, of all its threads together. */
  readonly cpuMs: number
  /** How many processors it may keep busy; at least 1. */
  readonly cpus: number
  /** Milliseconds for which its event loop had something to do. */
  readonly loopMs: number
  /** The part that it uses of the memory that it may use, from 0 to 1. */
  readonly memory: number
}

// A cache may rightly fill most of the memory. What is dear is the last quarter, in which the garbage collector labours.
const freeMemory = 0.75

/** How busy a process was between two readings, from 0 to 1: as busy as what it had the least left of. */
export function busyShare(before: LoadReading, after: LoadReading, elapsedMs: number): number {
  if (!(elapsedMs > 0)) return 0
  const cpu = (after.cpuMs - before.cpuMs) / (elapsedMs * after.cpus)
  const loop = (after.loopMs - before.loopMs) / elapsedMs
  const memory = (after.memory - freeMemory) / (1 - freeMemory)
  return Math.min(1, Math.max(0, cpu, loop, memory))
}

/** Gives how busy the process was since it was last asked, or since now. */
export function createBusyMeter(clock: Clock, read: () => LoadReading): () => number {
  let before = read()
  let readAt = clock.now()
  return () => {
    const after = read()
    const now = clock.now()
    const busy = busyShare(before, after, now - readAt)
    before = after
    readAt = now
    return busy
  }
}
