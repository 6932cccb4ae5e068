import { allocate, defer } from '#platform'
import { spareBuffers } from '../core/bytes/spare-buffers.ts'
import { detached } from '../core/context.ts'

/** One size for all, so that any connection can use any buffer. */
export const bufferBytes = 64 * 1024
const keptBuffers = 64
// So many connections hold a buffer at a time. What is written to a thousand in one turn, as news to all watchers of a
// registry, then leaves while it is still being written, and in buffers that are used again.
const mostDirty = 32

/** What is flushed at the end of the turn in which something was written to it. */
export interface Flushable {
  flush(): void
}

/**
 * What the connections of a process share: the buffers that they write into, and the end of the turn at which they
 * are flushed. Only a connection with something unsent holds a buffer, so ten thousand idle ones hold none.
 */
export class OutputPool {
  readonly #free: Uint8Array[] = []
  readonly #defer: (fn: () => void) => void
  #dirty: Flushable[] = []
  #deferred = false
  #last: Flushable | undefined
  #run = 0

  constructor(schedule: (fn: () => void) => void = defer) {
    this.#defer = schedule
  }

  take(): Uint8Array {
    return this.#free.pop() ?? allocate(bufferBytes)
  }

  /** Takes a buffer back that nobody reads any more. */
  give(bytes: Uint8Array): void {
    if (bytes.length > bufferBytes) spareBuffers.give(bytes)
    else if (bytes.length === bufferBytes && this.#free.length < keptBuffers) this.#free.push(bytes)
  }

  /** Has an output flushed when the turn is over; called once per batch. */
  flushLater(output: Flushable): void {
    if (this.#dirty.length === mostDirty) this.#flush()
    this.#dirty.push(output)
    if (!this.#deferred) {
      this.#deferred = true
      detached(() => this.#defer(this.#flushAll))
    }
    if (this.#last === output) this.#run++
    else {
      this.#last = output
      this.#run = 0
    }
  }

  /**
   * Whether this output wrote the last batches of the process alone. Every socket that is read has a turn of its own
   * on Node, so the batches before tell more than what else is dirty now. (Measured in bench/transport.ts.)
   */
  isAlone(output: Flushable): boolean {
    return this.#dirty.length <= 1 && this.#last === output && this.#run >= 2
  }

  readonly #flushAll = () => {
    this.#deferred = false
    this.#flush()
  }

  #flush(): void {
    const dirty = this.#dirty
    this.#dirty = []
    for (const output of dirty) output.flush()
  }
}

/** The pool of the process. */
export const sharedOutputPool = new OutputPool()
