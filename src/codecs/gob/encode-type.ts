import { wireType } from './definition.ts'
import { basicWriter, mismatch, type TypeWriter } from './encode-basic.ts'
import { writeDynamic, writeNamed } from './encode-interface.ts'
import { entry, inside, Problem, property } from '../problem.ts'
import { type ConcreteType, type GobType, type OpaqueType, resolveType, type StructType } from './types.ts'
import type { StreamWriter } from './stream-writer.ts'

const writers = new WeakMap<GobType, TypeWriter>()

/** The writer of a type; made once, the first time that it is needed. */
export function writerOf(given: GobType): TypeWriter {
  const known = writers.get(given)
  if (known !== undefined) return known
  const { type } = resolveType(given)
  const writer = writers.get(type) ?? makeWriter(type)
  writers.set(given, writer)
  writers.set(type, writer)
  return writer
}

function makeWriter(type: ConcreteType): TypeWriter {
  switch (type.kind) {
    case 'bool':
    case 'int':
    case 'uint':
    case 'float':
    case 'complex':
    case 'string':
    case 'bytes':
      return basicWriter(type)
    case 'slice':
      return {
        type,
        write: listWriter(type.element, undefined),
        omits: (value) => (value as unknown[]).length === 0,
      }
    case 'array':
      return { type, write: listWriter(type.element, type.length), omits: never }
    case 'map':
      return { type, write: mapWriter(type.key, type.element), omits: never }
    case 'struct':
      return { type, write: structWriter(type), omits: never }
    case 'opaque':
      return opaqueWriter(type)
    case 'interface':
      return { type, write: (writer, value) => writeNamed(writer as StreamWriter, value, type), omits: never }
    case 'any':
      return { type, write: (writer, value) => writeDynamic(writer as StreamWriter, value), omits: never }
  }
}

/** The writer of definitions. */
export function definitionWriter(): TypeWriter {
  return writerOf(wireType)
}

const never = (): boolean => false

/** What a part of a value is written with: types that contain themselves are found when they are needed. */
class Part {
  readonly #given: GobType
  #writer: TypeWriter | undefined
  /** Whether nil is something that is written; elsewhere it is only left out. */
  #nil = false

  constructor(given: GobType) {
    this.#given = given
  }

  get writer(): TypeWriter {
    if (this.#writer !== undefined) return this.#writer
    this.#writer = writerOf(this.#given)
    this.#nil = this.#writer.type.kind === 'interface' || this.#writer.type.kind === 'any'
    return this.#writer
  }

  write(output: StreamWriter, value: unknown): void {
    const writer = this.#writer ?? this.writer
    if (value !== null && value !== undefined) writer.write(output, value)
    else if (this.#nil) output.byte(0)
    else throw new Problem(`is ${String(value)}; gob has nil only for fields and interfaces`)
  }
}

function listWriter(element: GobType, length: number | undefined): TypeWriter['write'] {
  const part = new Part(element)
  return (writer, value) => {
    const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)
    if (!isList) throw mismatch(value, 'an array')
    const list = value as unknown[]
    if (length !== undefined && list.length !== length) {
      throw new Problem(`has ${list.length} elements, where ${length} are expected`)
    }
    writer.enter()
    // The count stands before the elements, so elements that a getter adds are not sent.
    const count = list.length
    writer.uint(count)
    let i = 0
    try {
      for (; i < count; i++) part.write(writer as StreamWriter, list[i])
    } catch (thrown) {
      throw inside(thrown, `[${i}]`)
    }
    writer.depth--
  }
}

function mapWriter(keyType: GobType, elementType: GobType): TypeWriter['write'] {
  const keys = new Part(keyType)
  const elements = new Part(elementType)
  return (writer, value) => {
    if (!(value instanceof Map)) throw mismatch(value, 'a Map')
    writer.enter()
    const count = value.size
    writer.uint(count)
    let i = 0
    for (const [key, element] of value as Map<unknown, unknown>) {
      // The count has been written: a map that grows under a getter must not make the message lie.
      if (i === count) throw new Problem('changes while it is being sent')
      let step = `.keys()[${i}]`
      try {
        keys.write(writer as StreamWriter, key)
        step = ''
        elements.write(writer as StreamWriter, element)
      } catch (thrown) {
        throw inside(thrown, step || entry(key, i))
      }
      i++
    }
    if (i !== count) throw new Problem('changes while it is being sent')
    writer.depth--
  }
}

function structWriter(type: StructType): TypeWriter['write'] {
  const fields = type.fields.map((field) => ({ property: field.property, part: new Part(field.type) }))
  const { length } = fields
  return (writer, value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw mismatch(value, structText(type))
    writer.enter()
    let last = -1
    let i = 0
    try {
      for (; i < length; i++) {
        const { property, part } = fields[i] as (typeof fields)[number]
        const item = (value as Record<string, unknown>)[property]
        if (item === undefined || item === null) continue
        const itemWriter = part.writer
        if (itemWriter.omits(item)) continue
        writer.uint(i - last)
        last = i
        itemWriter.write(writer, item)
      }
    } catch (thrown) {
      throw inside(thrown, property((fields[i] as (typeof fields)[number]).property))
    }
    writer.byte(0)
    writer.depth--
  }
}

function structText({ name }: StructType): string {
  return name === '' ? 'an object' : `an object (${name})`
}

function opaqueWriter(type: OpaqueType): TypeWriter {
  const { options } = type
  return {
    type,
    write(writer, value) {
      const bytes = options.write(value)
      if (!(bytes instanceof Uint8Array)) throw mismatch(bytes, `a Uint8Array made by ${type.name}`)
      writer.binary(bytes)
    },
    omits: (value) => options.isZero?.(value) ?? false,
  }
}
