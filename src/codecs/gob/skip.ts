import { Problem } from '../problem.ts'
import type { GobReader } from './reader.ts'
import type { WireType, WireTypes } from './wire-types.ts'

/** What becomes of a definition that stands inside a value; the reader is behind its id. */
export type OnDefinition = (reader: GobReader, id: number) => void

/**
 * Walks over a value without making anything of it. Where an interface holds a type that the peer has not yet defined,
 * the definition stands in the middle of the value, and ends the message: the value goes on in the next one. So a walk
 * can stop there and go on later, which is why it keeps its own stack.
 */
export class Skipper {
  readonly #wireTypes: WireTypes
  readonly #onDefinition: OnDefinition
  readonly #stack: WireType[] = []
  /** For each type of the stack: the last field (struct), or how many elements are left (others). */
  readonly #state: number[] = []
  /** Whether the walk stands where the type of an interface's value is told. */
  #inTypes = false

  constructor(types: WireTypes, onDefinition: OnDefinition) {
    this.#wireTypes = types
    this.#onDefinition = onDefinition
  }

  /** Walks from the start of a value. True: over all of it; false: up to the end of the message, in the middle of it. */
  start(reader: GobReader, type: WireType): boolean {
    this.#stack.length = 0
    this.#state.length = 0
    this.#inTypes = false
    this.#enter(reader, type)
    return this.resume(reader)
  }

  /** Goes on in the next message. */
  resume(reader: GobReader): boolean {
    for (;;) {
      if (this.#inTypes && !this.#passTypes(reader)) return false
      const top = this.#stack.length - 1
      if (top < 0) return true
      const type = this.#stack[top] as WireType
      const state = this.#state[top] as number
      if (type.kind === 'struct') {
        const delta = reader.count()
        const fields = type.fields as NonNullable<WireType['fields']>
        const next = state + delta
        if (delta === 0) this.#pop()
        else if (next >= fields.length) throw noField(next, type)
        else {
          this.#state[top] = next
          this.#enter(reader, this.#wireTypes.find((fields[next] as { id: number }).id))
        }
      } else if (state === 0) this.#pop()
      else {
        this.#state[top] = state - 1
        const isKey = type.kind === 'map' && state % 2 === 0
        this.#enter(reader, this.#wireTypes.find((isKey ? type.key : type.element) as number))
      }
    }
  }

  #pop(): void {
    this.#stack.pop()
    this.#state.pop()
  }

  #push(reader: GobReader, type: WireType, state: number): void {
    if (reader.depth + this.#stack.length >= reader.maxDepth) {
      throw new Problem(`is nested deeper than ${reader.maxDepth} levels`, 'resource_exhausted')
    }
    this.#stack.push(type)
    this.#state.push(state)
  }

  /** Passes over a value, or over its head if it has parts. */
  #enter(reader: GobReader, type: WireType): void {
    switch (type.kind) {
      case 'bool':
      case 'int':
      case 'uint':
      case 'float':
        return reader.skipUint()
      case 'complex':
        reader.skipUint()
        return reader.skipUint()
      case 'bytes':
      case 'string':
      case 'opaque':
        return reader.skipBinary()
      case 'struct':
        return this.#push(reader, type, -1)
      case 'slice':
      case 'array':
      case 'map':
        return this.#push(reader, type, this.#count(reader, type) * (type.kind === 'map' ? 2 : 1))
      case 'interface': {
        const length = reader.bounded(1)
        reader.at += length
        this.#inTypes = length > 0
      }
    }
  }

  #count(reader: GobReader, type: WireType): number {
    // With interfaces inside, the rest may come in messages to follow; every element takes a byte even so.
    const { interfaces } = this.#wireTypes.complete(type.id)
    const count = interfaces ? reader.count() : reader.bounded(type.kind === 'map' ? 2 : 1)
    if (type.kind === 'array' && count !== type.length) throw wrongLength(count, type)
    return count
  }

  /** Over the definitions inside an interface, up to its value. False where the message ends first. */
  #passTypes(reader: GobReader): boolean {
    for (;;) {
      const id = reader.id()
      if (id >= 0) {
        const type = this.#wireTypes.complete(id)
        this.#inTypes = false
        reader.count()
        if (type.kind === 'interface') throw new Problem('is an interface directly inside an interface')
        if (type.kind !== 'struct') expectSingle(reader)
        this.#enter(reader, type)
        return true
      }
      this.#onDefinition(reader, -id)
      if (reader.at === reader.end) return false
      // The rest of the message that encloses it, whose length it is.
      reader.count()
    }
  }
}

/** Before a value that is no struct and stands on its own there is a zero. */
export function expectSingle(reader: GobReader): void {
  if (reader.count() !== 0)
    throw new Problem('does not begin with the zero byte of a value that is no struct')
}

/** A struct's value refers to a field that its type has not. */
export function noField(field: number, type: WireType): Problem {
  return new Problem(`has a field ${field}, of ${type.fields?.length} that its type defines`)
}

/** An array's value has another length than its type. */
export function wrongLength(count: number, type: WireType): Problem {
  return new Problem(`has ${count} elements, where its type defines ${type.length}`)
}
