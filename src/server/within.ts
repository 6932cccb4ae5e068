import type { Clock } from '../core/clock.ts'

/**
 * Waits for something that others may never finish, for a bounded time. Never rejects.
 * @returns `done`, `failed`, or `late`; what fails after that is nobody's concern.
 */
export function within(clock: Clock, ms: number, what: () => unknown): Promise<'done' | 'failed' | 'late'> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, () => resolve('late'))
    const end = (how: 'done' | 'failed') => () => {
      cancel()
      resolve(how)
    }
    // In a promise of its own, so that what throws at once fails like the rest.
    new Promise((begun) => begun(what())).then(end('done'), end('failed'))
  })
}
