import { RpcError } from '../../core/error.ts'
import { HeadCollector } from './head-collector.ts'

/** The request that turns an HTTP connection into one of calls: with bare newlines, as Go's clients write it. */
export function connectRequest(path: string): Uint8Array {
  return new TextEncoder().encode(`CONNECT ${path} HTTP/1.0\n\n`)
}

/** What a server answers to it. */
export class ConnectAnswer {
  readonly #head = new HeadCollector()
  readonly #address: string
  readonly #path: string

  constructor(address: string, path: string) {
    this.#address = address
    this.#path = path
  }

  /**
   * Takes in bytes; gives those behind the answer once it is there and says yes.
   * @throws RpcError `failed_precondition` for any other answer, with its status.
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    const found = this.#head.push(chunk)
    if (found === undefined) return undefined
    const status = /^HTTP\/1\.[01] (200 Connected to [ -~]{1,100})$/.exec(found.lines[0] ?? '')
    if (status !== null) return found.rest
    const shown = JSON.stringify((found.lines[0] ?? '').slice(0, 100))
    throw new RpcError(
      'failed_precondition',
      `${this.#address} answered CONNECT ${this.#path} with ${shown}; the path may be another one (option http)`,
      { phase: 'negotiate' },
    )
  }
}
