import type { RpcError } from '../core/error.ts'
import { type Logger, silentLogger } from '../core/log.ts'
import type { SessionState } from '../protocols/protocol.ts'

/**
 * What the pool of an endpoint says in the log. Trouble is told once, when it begins and when it is over; the attempts
 * in between are for those who debug.
 */
export class PoolLog {
  readonly #logger: Logger
  readonly #endpoint: string
  #inTrouble = false

  constructor(logger: Logger = silentLogger, endpoint: string) {
    this.#logger = logger
    this.#endpoint = endpoint
  }

  connected(sessions: number): void {
    const endpoint = this.#endpoint
    if (this.#inTrouble) {
      this.#inTrouble = false
      this.#logger.info({ event: 'client.reachable', endpoint }, `${endpoint} can be reached again`)
    }
    this.#logger.debug({ event: 'client.connected', endpoint, sessions }, `connected to ${endpoint}`)
  }

  ended(state: SessionState, reason: RpcError | undefined): void {
    const endpoint = this.#endpoint
    const why = reason === undefined ? '' : `: ${reason.message}`
    const what = state === 'draining' ? 'takes no new calls' : 'ended the connection'
    this.#logger.debug(
      { event: 'client.closed', endpoint, state, error: reason?.toJSON() },
      `${endpoint} ${what}${why}`,
    )
  }

  unreachable(error: RpcError | undefined, retryMs: number): void {
    const fields = {
      event: 'client.unreachable',
      endpoint: this.#endpoint,
      error: error?.toJSON(),
      retryMs: Math.round(retryMs),
    }
    const message = `cannot connect to ${this.#endpoint}: ${error?.message ?? 'unknown reason'}; it is tried again`
    if (this.#inTrouble) this.#logger.debug(fields, message)
    else this.#logger.warn(fields, message)
    this.#inTrouble = true
  }
}
