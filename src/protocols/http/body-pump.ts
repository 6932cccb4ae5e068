/** Where the pieces of a body go. */
export interface PumpSink {
  /** Whether there is no room for now; `wake` is called when there is. */
  full(): boolean
  /** Takes one. What it throws ends the source, and comes back as an error. */
  item(item: unknown): void
  end(): void
  error(thrown: unknown): void
}

/** Drains an async iterable into a sink, no faster than the sink takes it. */
export class BodyPump {
  readonly #iterator: AsyncIterator<unknown>
  readonly #sink: PumpSink
  #stopped = false
  #wake: (() => void) | undefined = undefined

  constructor(source: AsyncIterable<unknown>, sink: PumpSink) {
    this.#iterator = source[Symbol.asyncIterator]()
    this.#sink = sink
  }

  /** Begins; exactly one of the sink's `end` and `error` is called, unless it is stopped first. */
  start(): void {
    void this.#run()
  }

  /** There may be room again. */
  wake(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  /** Nobody wants more: lets the iterator run its `finally`, and resolves when it has. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.wake()
    try {
      await this.#iterator.return?.()
    } catch {
      // Nobody is left to be told.
    }
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        while (this.#sink.full() && !this.#stopped) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
        if (this.#stopped) return
        const step = await this.#iterator.next()
        if (this.#stopped) return
        if (step.done === true) break
        try {
          this.#sink.item(step.value)
        } catch (thrown) {
          void this.stop()
          return this.#sink.error(thrown)
        }
      }
    } catch (thrown) {
      if (this.#stopped) return
      this.#stopped = true
      return this.#sink.error(thrown)
    }
    this.#stopped = true
    this.#sink.end()
  }
}
