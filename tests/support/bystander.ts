/** Somebody who calls all the time, and to whom nothing may happen. */
export interface Bystander extends AsyncDisposable {
  /** Resolves when so many more calls have been answered. Rejects when one has failed. */
  more(count: number): Promise<void>
  /** Ends it, and resolves with how many were answered. Rejects when one has failed. */
  stop(): Promise<number>
}

/** Calls without a pause, one after the other in each of `width` lines; `call` throws for a wrong answer. */
export function bystander(
  call: (n: number) => Promise<void>,
  options: { readonly width?: number; readonly name?: string } = {},
): Bystander {
  const { width = 2, name = 'the bystander' } = options
  let answered = 0
  let stopped = false
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {})
  const waiting = new Set<() => void>()

  const line = async () => {
    while (!stopped) {
      try {
        await call(answered)
      } catch (cause) {
        stopped = true
        failed.reject(new Error(`a call of ${name} failed, after ${answered}: ${String(cause)}`, { cause }))
        return
      }
      answered++
      for (const check of waiting) check()
      // The machine is also the attackers'.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const lines = Promise.all(Array.from({ length: width }, line))

  function more(count: number): Promise<void> {
    const until = answered + count
    const enough = new Promise<void>((resolve) => {
      const check = () => {
        if (answered < until) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
    })
    return Promise.race([enough, failed.promise])
  }

  async function stop() {
    stopped = true
    await lines
    await Promise.race([failed.promise, Promise.resolve()])
    return answered
  }

  return {
    more,
    stop,
    async [Symbol.asyncDispose]() {
      stopped = true
      await lines
    },
  }
}
