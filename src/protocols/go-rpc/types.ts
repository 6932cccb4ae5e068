import { gob, showType } from '../../codecs/gob/index.ts'
import type { MethodInfo } from '../../core/method-info.ts'

/** What `MethodInfo.types` holds for these protocols: the Go types of the two values of a call. */
export interface GoTypes {
  readonly args?: gob.GobType
  readonly reply?: gob.GobType
}

const none: GoTypes = Object.freeze({})

/** The Go types of a method, as far as they are declared. */
export function goTypes(info: MethodInfo | undefined): GoTypes {
  const types = info?.types
  if (typeof types !== 'object' || types === null) return none
  const { args, reply } = types as { args?: unknown; reply?: unknown }
  return { ...(gob.isGobType(args) && { args }), ...(gob.isGobType(reply) && { reply }) }
}

/** The same for people, as Go would write it; undefined where nothing is declared. */
export function showGoTypes(
  info: MethodInfo,
): { readonly args?: string; readonly reply?: string } | undefined {
  const { args, reply } = goTypes(info)
  if (args === undefined && reply === undefined) return undefined
  return { ...(args && { args: showType(args) }), ...(reply && { reply: showType(reply) }) }
}
