import { unknownName } from '../core/check.ts'
import { RpcError } from '../core/error.ts'
import type { Protocol } from '../protocols/protocol.ts'

/**
 * The protocols that a server speaks, in the order in which they are preferred.
 * @throws RpcError `invalid_argument` for a name that is none, or where nothing is left.
 */
export function selectProtocols(
  all: readonly Protocol[],
  names: readonly string[] | undefined,
): readonly Protocol[] {
  if (names === undefined) return all
  if (names.length === 0) throw new RpcError('invalid_argument', "'protocols' is empty: name at least one")
  for (const name of names) findProtocol(all, name)
  return all.filter((protocol) => names.includes(protocol.name))
}

/** @throws RpcError `invalid_argument` that lists what there is. */
export function findProtocol(all: readonly Protocol[], name: string): Protocol {
  const found = all.find((protocol) => protocol.name === name)
  if (found !== undefined) return found
  throw unknownName(
    'protocol',
    name,
    all.map((protocol) => protocol.name),
  )
}
