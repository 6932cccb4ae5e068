import { positive } from '../../core/check.ts'

/** What a gob stream may cost. Each can be set where an encoder or decoder is made. */
export interface GobLimits {
  /** The largest value, with the definitions inside it, in bytes. Default 4 MiB. */
  readonly maxMessageBytes: number
  /** How deep structs, slices, arrays and maps may be nested. Default 64. */
  readonly maxDepth: number
  /** How many types a stream may define. Default 256: a server with a hundred methods has about that many. */
  readonly maxTypes: number
  /** The bytes of all type definitions of a stream together. Default 64 KiB, some 400 types of Go's. */
  readonly maxDefinitionBytes: number
  /** The longest name of a type, field or registered type in bytes. Default 1,024, as Go's own limit. */
  readonly maxNameBytes: number
  /**
   * How many fields of one value may be filled in because the bytes leave them out: a field that is zero costs the
   * sender nothing, but takes memory here. Default 1,000,000.
   */
  readonly maxOmittedFields: number
}

/** The limits of a stream for which none are given. */
export const defaultGobLimits: GobLimits = Object.freeze({
  maxMessageBytes: 4 * 1024 * 1024,
  maxDepth: 64,
  maxTypes: 256,
  maxDefinitionBytes: 64 * 1024,
  maxNameBytes: 1024,
  maxOmittedFields: 1_000_000,
})

/**
 * Completes limits with the defaults; names that are none of a gob stream are passed over.
 * @throws RpcError `invalid_argument` for a value that is not a positive number.
 */
export function resolveGobLimits(given: Partial<GobLimits> = {}): GobLimits {
  const limits: Record<string, number> = { ...defaultGobLimits }
  for (const name of Object.keys(defaultGobLimits) as (keyof GobLimits)[]) {
    const value = given[name]
    if (value !== undefined) limits[name] = positive(`limit ${name}`, value)
  }
  return Object.freeze(limits) as unknown as GobLimits
}
