import { defer, nextTurn, startTimer } from '#platform'
import { type Clock, createClock } from './clock.ts'
import { detached } from './context.ts'

/** The machine's monotonic clock. */
export const systemClock: Clock = createClock({
  now: () => performance.now(),
  // Timers belong to Farcall, never to the call in which they happened to be started.
  after: (ms, fn) => detached(() => startTimer(ms, fn, false)),
  afterInBackground: (ms, fn) => detached(() => startTimer(ms, fn, true)),
  defer,
  nextTurn,
})
