import { defer, nextTurn, startTimer } from '#platform'
import { type Clock, createClock } from './clock.ts'
import { detached } from './context.ts'

// Looked up once: on Node the global is a getter, and every call reads the clock on either side.
const machine = performance

/** The machine's monotonic clock. */
export const systemClock: Clock = createClock({
  now: () => machine.now(),
  // Timers belong to Farcall, never to the call in which they happened to be started.
  after: (ms, fn) => detached(() => startTimer(ms, fn, false)),
  afterInBackground: (ms, fn) => detached(() => startTimer(ms, fn, true)),
  defer,
  nextTurn,
})
