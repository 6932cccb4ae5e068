import type { MethodDescription } from '../../node.ts'
import { UsageError } from '../usage-error.ts'

/** Arguments as they were typed: some by position, some by name. */
export interface GivenArguments {
  readonly list: readonly unknown[]
  readonly named: ReadonlyMap<string, unknown>
}

/**
 * Gives arguments by position their names, where others are given by name.
 * @throws UsageError where the names are not known, one is given twice, or there are too many.
 */
export function namePositions(
  full: string,
  described: MethodDescription | undefined,
  given: GivenArguments,
): Map<string, unknown> {
  const params = described?.params
  if (params === undefined) {
    throw new UsageError(
      `the names of ${full}'s parameters are not known, so positions and names cannot be mixed`,
      'give all arguments by position',
    )
  }
  if (given.list.length > params.length) {
    throw new UsageError(
      `${full} takes (${params.join(', ')}), and ${given.list.length} are given by position`,
    )
  }
  const named = new Map<string, unknown>()
  given.list.forEach((value, at) => named.set(params[at] as string, value))
  for (const [name, value] of given.named) {
    if (named.has(name))
      throw new UsageError(`argument '${name}' of ${full} is given by position and by name`)
    named.set(name, value)
  }
  return named
}
