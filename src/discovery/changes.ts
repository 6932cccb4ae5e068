import type { RpcError } from '../core/error.ts'

interface Waiter {
  readonly version: number
  resolve(): void
  reject(reason: RpcError): void
}

/** Counts what is wanted and what of it has been done, for those who wait for it. */
export class Changes {
  #wanted = 0
  #done = 0
  #waiters: Waiter[] = []

  /** The number of the last change that is wanted. */
  get version(): number {
    return this.#wanted
  }

  /** Whether anything is still to be done. */
  get pending(): boolean {
    return this.#done < this.#wanted
  }

  /** One more; resolves when it is done. Nobody has to wait for it. */
  add(): Promise<void> {
    const version = ++this.#wanted
    const done = new Promise<void>((resolve, reject) => this.#waiters.push({ version, resolve, reject }))
    done.catch(() => {})
    return done
  }

  /** All up to this one are done. */
  settle(version: number): void {
    this.#done = Math.max(this.#done, version)
    const settled = this.#waiters.filter((waiter) => waiter.version <= version)
    this.#waiters = this.#waiters.filter((waiter) => waiter.version > version)
    for (const waiter of settled) waiter.resolve()
  }

  /** Tells all who wait that it will not be done. */
  reject(reason: RpcError): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter.reject(reason)
  }
}
