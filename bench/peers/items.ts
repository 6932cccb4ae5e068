/** Where a peer calls a listener per item: makes an async iterable of that. Leaving the loop calls `stop`. */
export async function* iterate<T>(
  start: (on: { item(value: T): void; end(error?: unknown): void }) => () => void,
): AsyncGenerator<T> {
  let items: T[] = []
  let ended = false
  let failure: unknown
  let wake = () => {}
  const stop = start({
    item(value) {
      items.push(value)
      wake()
    },
    end(error) {
      ended = true
      failure = error
      wake()
    },
  })
  try {
    for (;;) {
      const batch = items
      items = []
      yield* batch
      if (items.length > 0) continue
      if (ended) break
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    if (failure !== undefined) throw new Error('the stream failed', { cause: failure })
  } finally {
    stop()
  }
}
