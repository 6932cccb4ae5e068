/** Calls one after the other without a pause; the first that goes wrong is kept, and ends them. */
export interface SteadyCalls extends AsyncDisposable {
  /** Resolves when so many more have come back right. Rejects if one did not. */
  more(count: number): Promise<void>
  /** Makes no more. Rejects if one did not come back right. */
  stop(): Promise<void>
}

/** Makes calls for as long as it is not stopped. `check` throws for a result that is wrong. */
export function callSteadily(
  name: string,
  call: () => Promise<unknown>,
  check: (result: unknown) => void,
): SteadyCalls {
  let right = 0
  let isStopped = false
  let wrong: Error | undefined
  const waiting = new Set<() => void>()
  const ended = run()

  async function run(): Promise<void> {
    while (!isStopped) {
      try {
        check(await call())
        right++
      } catch (cause) {
        wrong = new Error(`${name}, after ${right} calls: ${String(cause)}`, { cause })
        isStopped = true
      }
      for (const look of waiting) look()
    }
  }

  async function stop(): Promise<void> {
    isStopped = true
    await ended
    if (wrong !== undefined) throw wrong
  }

  return {
    more(count) {
      const wanted = right + count
      return new Promise((resolve, reject) => {
        const look = () => {
          if (wrong !== undefined) reject(wrong)
          else if (right >= wanted) resolve()
          else return
          waiting.delete(look)
        }
        waiting.add(look)
        look()
      })
    },
    stop,
    // Whoever waits for more has heard of what went wrong.
    [Symbol.asyncDispose]: () => stop().catch(() => {}),
  }
}
