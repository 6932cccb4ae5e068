import { RpcError } from '../../node.ts'
import type { Cast } from './cast.ts'
import type { work } from './services.ts'

/** Calls without a pause, from several hands, until told to stop. */
export class Load {
  /** Calls that came back with the right result. */
  right = 0
  /** Calls that were not safe to repeat and were lost with their server. */
  lost = 0
  /** Whatever should not have been. */
  readonly wrong: string[] = []
  #stopped = false
  #next = 0
  readonly #hands: readonly Promise<void>[]
  #watching: (() => void)[] = []

  constructor({ client }: Cast, hands: number) {
    const w = client.service<typeof work>('work')
    // Every fourth is not safe to repeat.
    const call = (n: number) => (n % 4 === 0 ? w.once(n) : w.nap(4))
    this.#hands = Array.from({ length: hands }, () => this.#work(call))
  }

  /** Resolves once so many more calls have come back. */
  async more(calls: number): Promise<void> {
    const until = this.right + calls
    await this.until(() => this.right >= until)
  }

  /** Resolves once something is so; it is looked at after each call. */
  until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!isSo()) return
        this.#watching = this.#watching.filter((one) => one !== look)
        resolve()
      }
      this.#watching.push(look)
    })
  }

  /** Lets what is in flight come back. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#hands)
  }

  async #work(call: (n: number) => Promise<number>): Promise<void> {
    while (!this.#stopped) {
      const n = this.#next++
      try {
        const result = await call(n)
        if (result === (n % 4 === 0 ? n : 4)) this.right++
        else this.wrong.push(`call ${n} gave ${result}`)
      } catch (thrown) {
        this.#failed(n, RpcError.from(thrown))
      }
      for (const look of this.#watching) look()
    }
  }

  #failed(n: number, error: RpcError): void {
    if (n % 4 === 0 && error.code === 'unavailable') this.lost++
    else if (!this.#stopped) this.wrong.push(`call ${n} failed: ${error.message}`)
  }
}
