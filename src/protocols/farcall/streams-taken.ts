import type { MethodInfo } from '../../core/method-info.ts'
import type { ClientCall } from './client-call.ts'

// A gateway takes the names of methods from elsewhere: what is remembered of them has an end.
const maxNames = 4096

interface Named {
  readonly service: string
  readonly method: string
}

/**
 * How many of the streams that a peer allows are taken: by those that are open, and by calls of methods of which nothing
 * is known yet, for they may be streams. Otherwise a burst of a client's first calls would meet the peer's limit.
 */
export class StreamsTaken {
  readonly #unknown = new Set<ClientCall>()
  /** Methods that a peer answered with a value and does not describe. */
  readonly #values = new Set<string>()
  #streams = 0

  get count(): number {
    return this.#streams + this.#unknown.size
  }

  /** A call has been sent; `info` is what is known of its method. */
  start(pending: ClientCall, info: MethodInfo | undefined): void {
    if (info?.output === 'stream') this.add(pending)
    else if (info === undefined && !this.#values.has(pending.call.name)) this.#unknown.add(pending)
  }

  /** The call is a stream. */
  add(pending: ClientCall): void {
    this.#unknown.delete(pending)
    if (pending.countsAsStream) return
    pending.countsAsStream = true
    this.#streams++
  }

  /** The call has ended. */
  remove(pending: ClientCall): void {
    if (pending.countsAsStream) this.#streams--
    else if (this.#unknown.size > 0) this.#unknown.delete(pending)
  }

  /**
   * The peer has told what a method is.
   * @returns whether there is more room now.
   */
  learn({ service, method }: Named, output: MethodInfo['output']): boolean {
    const before = this.#unknown.size
    for (const pending of this.#unknown) {
      if (pending.call.method !== method || pending.call.service !== service) continue
      if (output === 'stream') this.add(pending)
      else this.#unknown.delete(pending)
    }
    return output === 'value' && this.#unknown.size < before
  }

  /** The call was answered with a value: so will others of its method, also where the peer does not say so. */
  answered(pending: ClientCall): void {
    if (this.#unknown.size === 0 || !this.#unknown.has(pending)) return
    if (this.#values.size < maxNames) this.#values.add(pending.call.name)
    this.learn(pending.call, 'value')
  }
}
