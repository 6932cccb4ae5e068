import { type Definition, wireType } from './definition.ts'
import { TypeReaders } from './decode-type.ts'
import type { GobLimits } from './limits.ts'
import type { GobReader } from './reader.ts'
import { Problem } from '../problem.ts'
import { definitionTypes, type WireTypes } from './wire-types.ts'

/** A definition's own levels are few, and not those of the value that it stands in. */
const ownLevels = 16

/** Reads the definitions of a stream into its types. */
export class Definitions {
  readonly #types: WireTypes
  readonly #readers: TypeReaders
  readonly #root: number

  constructor(types: WireTypes, limits: GobLimits) {
    this.#types = types
    const { types: own, root } = definitionTypes(limits)
    this.#root = root
    this.#readers = new TypeReaders(own, { onDefinition: refuse, maxNameBytes: limits.maxNameBytes })
  }

  /** Takes in the definition of a type; the reader stands behind the id. */
  take(reader: GobReader, id: number): void {
    const { depth } = reader
    const start = reader.at
    // Measured before anything is made of it.
    this.pass(reader)
    this.#types.charge(reader.at - start)
    reader.at = start
    reader.depth = -ownLevels
    reader.omittable = Number.POSITIVE_INFINITY
    const definition = this.#readers.of(this.#root, wireType).read(reader) as Definition
    this.#types.define(id, definition)
    reader.depth = depth
  }

  /** Passes over a definition that has been taken in. */
  pass(reader: GobReader): void {
    const { depth } = reader
    reader.depth = -ownLevels
    this.#readers.skip(reader, this.#root)
    reader.depth = depth
  }
}

function refuse(): never {
  throw new Problem('has a definition inside a definition')
}
