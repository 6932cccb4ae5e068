import { formatEndpoint, parseEndpoint } from '../core/endpoint.ts'
import type { Instance } from '../core/instance.ts'
import { checkWeight } from '../core/weight.ts'

/** The weights that somebody has set for one client: they count there instead of what instances say of themselves. */
export class OwnWeights {
  /** By the id of an instance, or by an endpoint of it. */
  readonly #weights = new Map<string, number>()

  /**
   * Sets one, or takes it back.
   * @throws RpcError `invalid_argument` for what is no weight.
   */
  set(who: string, weight: number | undefined): void {
    if (weight === undefined) this.#weights.delete(spelled(who))
    else this.#weights.set(spelled(who), checkWeight(weight))
  }

  /** The instance with the weight that counts here. */
  apply(instance: Instance): Instance {
    if (this.#weights.size === 0) return instance
    const names = [instance.id, ...instance.endpoints.map(formatEndpoint)]
    const name = names.find((one) => this.#weights.has(one))
    if (name === undefined) return instance
    return Object.freeze({ ...instance, weight: this.#weights.get(name) as number })
  }
}

// `farcall+tcp://a:1` and `tcp://a:1` are the same one.
function spelled(who: string): string {
  try {
    return formatEndpoint(parseEndpoint(who))
  } catch {
    return who
  }
}
