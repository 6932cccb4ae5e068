import type { Clock } from '../core/clock.ts'

/**
 * Waits for something that others may never finish, for a bounded time. Never rejects.
 * @returns `done`, `failed`, or `late`; what fails after that is nobody's concern.
 */
export function within(
  clock: Clock,
  ms: number,
  what: PromiseLike<unknown>,
): Promise<'done' | 'failed' | 'late'> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, () => resolve('late'))
    const end = (how: 'done' | 'failed') => () => {
      cancel()
      resolve(how)
    }
    what.then(end('done'), end('failed'))
  })
}
