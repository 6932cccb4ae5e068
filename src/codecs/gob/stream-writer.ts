import type { TypeWriter } from './encode-basic.ts'
import type { GobLimits } from './limits.ts'
import type { GobType } from './types.ts'
import { GobWriter } from './writer.ts'

/** What a value that names its own type (in an interface) needs of its stream. */
export interface StreamTypes {
  /** What writes the values of a type. */
  writerOf(type: GobType): TypeWriter
  /** The id of a type, which is defined for the peer if it has not been. */
  idOf(type: GobType): number
  /** The type of a value that is sent without a description. */
  infer(value: unknown): GobType
}

/** A writer that belongs to a stream. */
export class StreamWriter extends GobWriter {
  readonly types: StreamTypes
  readonly maxNameBytes: number

  constructor(limits: GobLimits, types: StreamTypes) {
    super(limits)
    this.types = types
    this.maxNameBytes = limits.maxNameBytes
  }
}
