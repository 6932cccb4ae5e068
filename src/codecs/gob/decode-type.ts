import { GobComplex } from './complex.ts'
import { structReader } from './decode-struct.ts'
import { isPlainName } from './dynamic.ts'
import { GobNamed } from './named.ts'
import { describe, entry, inside, Problem } from '../problem.ts'
import type { GobReader } from './reader.ts'
import { expectSingle, type OnDefinition, Skipper, wrongLength } from './skip.ts'
import { time } from './time.ts'
import { type ConcreteType, type GobType, type InterfaceType, resolveType } from './types.ts'
import type { ValueReader, WireType, WireTypes } from './wire-types.ts'

type Read = (reader: GobReader) => unknown

/** The readers of a stream: for each type of the peer and each of ours one function, made the first time it is needed. */
export class TypeReaders {
  readonly #types: WireTypes
  readonly #onDefinition: OnDefinition
  readonly #maxNameBytes: number
  readonly #skipper: Skipper

  constructor(types: WireTypes, options: { onDefinition: OnDefinition; maxNameBytes: number }) {
    this.#types = types
    this.#onDefinition = options.onDefinition
    this.#maxNameBytes = options.maxNameBytes
    this.#skipper = new Skipper(types, options.onDefinition)
  }

  /**
   * What reads values of a peer's type as ours, or as they are.
   * @throws Problem where the two do not fit, by Go's rules.
   */
  of(id: number, given: GobType | undefined): ValueReader<GobReader> {
    const wire = this.#types.find(id)
    const resolved = given === undefined ? undefined : resolveType(given).type
    const type = resolved?.kind === 'any' ? undefined : resolved
    const key = type ?? untyped
    const known = wire.readers.get(key)
    if (known !== undefined) return known
    if (type !== undefined) checkFit(wire, type)
    // Made at the first value: so types that contain themselves need no care, and long chains no stack.
    const holder: ValueReader<GobReader> = {
      read: (reader) => {
        holder.read = this.#make(wire, type)
        return holder.read(reader)
      },
      disjoint: wire.kind === 'struct' && type?.kind === 'struct' && isDisjoint(wire, type),
    }
    wire.readers.set(key, holder as ValueReader<unknown>)
    return holder
  }

  /** The kind of a peer's type. */
  kindOf(id: number): WireType['kind'] {
    return this.#types.find(id).kind
  }

  /** Passes over a value. */
  skip(reader: GobReader, id: number): void {
    if (!this.#skipper.start(reader, this.#types.find(id))) throw new Problem('ends in the middle')
  }

  #make(wire: WireType, type: ConcreteType | undefined): Read {
    switch (wire.kind) {
      case 'bool':
        return (reader) => reader.count() !== 0
      case 'int':
        return type?.kind === 'int' && type.wide !== true ? readNarrowInt : (reader) => reader.int()
      case 'uint':
        return type?.kind === 'uint' && type.wide !== true ? readNarrowUint : (reader) => reader.uint()
      case 'float':
        return (reader) => reader.float()
      case 'complex':
        return (reader) => new GobComplex(reader.float(), reader.float())
      case 'string':
        return type?.kind === 'bytes' ? (reader) => reader.binary() : (reader) => reader.text()
      case 'bytes':
        return (reader) => reader.binary()
      case 'opaque':
        if (type?.kind !== 'opaque') return (reader) => reader.binary()
        return (reader) => type.options.read(reader.binary())
      case 'slice':
      case 'array':
        return this.#list(wire, type?.kind === 'slice' || type?.kind === 'array' ? type.element : undefined)
      case 'map':
        return this.#map(wire, type?.kind === 'map' ? type : undefined)
      case 'struct':
        return structReader(this, wire, type?.kind === 'struct' ? type : undefined)
      case 'interface':
        return (reader) => this.#interface(reader, type?.kind === 'interface' ? type : undefined)
    }
  }

  #list(wire: WireType, elementType: GobType | undefined): Read {
    const element = this.of(wire.element as number, elementType)
    return (reader) => {
      const count = reader.bounded(1)
      if (wire.kind === 'array' && count !== wire.length) throw wrongLength(count, wire)
      reader.enter()
      const list: unknown[] = []
      let i = 0
      try {
        for (; i < count; i++) list.push(element.read(reader))
      } catch (thrown) {
        throw inside(thrown, `[${i}]`)
      }
      reader.depth--
      return list
    }
  }

  #map(wire: WireType, type: { readonly key: GobType; readonly element: GobType } | undefined): Read {
    const keys = this.of(wire.key as number, type?.key)
    const elements = this.of(wire.element as number, type?.element)
    return (reader) => {
      const count = reader.bounded(2)
      reader.enter()
      const map = new Map<unknown, unknown>()
      for (let i = 0; i < count; i++) {
        let step = `.keys()[${i}]`
        let key: unknown
        try {
          key = keys.read(reader)
          step = ''
          map.set(key, elements.read(reader))
        } catch (thrown) {
          throw inside(thrown, step || entry(key, i))
        }
      }
      reader.depth--
      return map
    }
  }

  #interface(reader: GobReader, type: InterfaceType | undefined): unknown {
    const name = reader.text()
    if (name === '') return null
    if (name.length > this.#maxNameBytes) {
      throw new Problem(`has a registered name of ${name.length} characters`, 'resource_exhausted')
    }
    let id = reader.id()
    for (; id < 0; id = reader.id()) {
      this.#onDefinition(reader, -id)
      reader.definitions++
      // Of the message to come, or of the rest of the one that encloses it: its length stands here in either case.
      reader.count()
    }
    if (this.#types.complete(id).kind === 'interface')
      throw new Problem('is an interface directly inside an interface')
    const length = reader.count()
    const start = reader.at
    const { definitions } = reader
    const value = this.single(reader, id, typeNamed(name, type))
    // A definition inside would have ended the stretch that the length is of.
    if (reader.definitions === definitions && reader.at !== start + length) {
      throw new Problem(`takes ${reader.at - start} bytes inside an interface that has ${length} for it`)
    }
    return type === undefined && isPlainName(name) ? value : new GobNamed(name, value)
  }

  /** Reads a value that stands on its own: a whole message, or what an interface holds. */
  single(reader: GobReader, id: number, type: GobType | undefined): unknown {
    const { read, disjoint } = this.of(id, type)
    if (disjoint === true) throw new Problem(`has no field in common with ${named(type)}`)
    if (this.kindOf(id) !== 'struct') expectSingle(reader)
    return read(reader)
  }
}

/** In the place of a type where there is none. */
const untyped = {}

function named(type: GobType | undefined): string {
  const name = type === undefined ? '' : (resolveType(type).type as { readonly name?: string }).name
  return name === undefined || name === '' ? 'the struct that is expected' : name
}

function typeNamed(name: string, type: InterfaceType | undefined): GobType | undefined {
  if (type === undefined) return name === 'time.Time' ? time : undefined
  const known = type.table.get(name)
  if (known !== undefined) return known
  const names = [...type.table.keys()].join(', ') || 'none'
  throw new Problem(`holds a value of type ${describe(name)}; the interface knows ${names}`)
}

function readNarrowInt(reader: GobReader): number {
  const value = reader.int()
  if (typeof value === 'number') return value
  throw new Problem(`is ${value}, beyond 2^53; described as int64 it is read as a bigint`)
}

function readNarrowUint(reader: GobReader): number {
  const value = reader.uint()
  if (typeof value === 'number') return value
  throw new Problem(`is ${value}, beyond 2^53; described as uint64 it is read as a bigint`)
}

/** Go's rules, of one level: kinds must be the same, arrays as long, opaque types made by the same method. */
function checkFit(wire: WireType, type: ConcreteType): void {
  const fits =
    wire.kind === type.kind
      ? (type.kind !== 'array' || wire.length === type.length) &&
        (type.kind !== 'opaque' || wire.via === (type.options.via ?? 'gob'))
      : wire.kind === 'string' && type.kind === 'bytes'
  if (fits) return
  throw new Problem(
    `is ${article(wire.kind, wire.length)} at the peer, where ${article(type.kind, 'length' in type ? type.length : undefined)} is expected`,
  )
}

function article(kind: string, length: number | undefined): string {
  if (kind === 'opaque') return 'an opaque value'
  if (kind === 'array') return `an array of ${length}`
  if (kind === 'bytes') return '[]byte'
  return `${/^[aiou]/.test(kind) && kind !== 'uint' ? 'an' : 'a'} ${kind}`
}

function isDisjoint(wire: WireType, type: ConcreteType & { readonly kind: 'struct' }): boolean {
  const names = new Set(wire.fields?.map((field) => field.name))
  return names.size > 0 && type.fields.length > 0 && !type.fields.some((field) => names.has(field.name))
}
