import { type Endpoint, parseEndpoint } from './endpoint.ts'
import { RpcError } from './error.ts'
import { checkWeight } from './weight.ts'

/** An endpoint in a list that somebody wrote down. */
export interface ListedEndpoint extends Endpoint {
  /** Its share of the calls beside the others'. Default 1. */
  readonly weight?: number
}

/**
 * Reads an endpoint of a list: as {@link parseEndpoint} does, and behind it may stand a weight, `tcp://host:port?weight=3`.
 * @throws RpcError `invalid_argument` that says what is wrong and shows the right form.
 */
export function parseListedEndpoint(text: string): ListedEndpoint {
  const [, endpoint, weight] = /^(.*)\?weight=(.*)$/s.exec(text) ?? []
  if (endpoint === undefined || weight === undefined) return parseEndpoint(text)
  if (!/^\d+(\.\d+)?$/.test(weight)) {
    const shown = text.slice(0, 200)
    throw new RpcError(
      'invalid_argument',
      `'${shown}' has no weight that can be read; for example tcp://127.0.0.1:8089?weight=3`,
    )
  }
  return { ...parseEndpoint(endpoint), weight: checkWeight(Number(weight)) }
}
