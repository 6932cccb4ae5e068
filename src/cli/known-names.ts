import { nearest } from '../core/nearest.ts'
import { nodeParts } from '../node.ts'
import type { ResolvedSettings } from './settings/resolve.ts'
import { textsOf } from './settings/typed.ts'
import { UsageError } from './usage-error.ts'

/**
 * Makes sure that a name is one of those that there are.
 * @param what What it names, for the error: `protocol`.
 * @throws UsageError that lists them, with the nearest.
 */
export function checkKnown(what: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return
  const [near] = nearest(name, known)
  throw new UsageError(
    `unknown ${what} '${name}'${near === undefined ? '' : `; did you mean ${near}?`}`,
    `there are: ${known.join(', ')}`,
  )
}

/** The protocols that a setting names; undefined where it is not set. @throws UsageError for a name that is none. */
export function protocolsOf(
  settings: ResolvedSettings,
  setting: 'protocols' | 'tokenless' = 'protocols',
): readonly string[] | undefined {
  const names = textsOf(settings, setting)
  // The others are ways to dial.
  const known = nodeParts.protocols.filter(({ detect }) => detect !== undefined).map(({ name }) => name)
  for (const name of names) checkKnown('protocol', name, known)
  return names.length === 0 ? undefined : names
}
