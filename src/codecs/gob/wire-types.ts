import { basicIds, type Definition, firstDefinableId, opaqueFields, wireType } from './definition.ts'
import type { GobLimits } from './limits.ts'
import { Problem } from '../problem.ts'
import { type BasicKind, type GobType, type OpaqueVia, resolveType } from './types.ts'

/** Reads a value at the reader's position. */
export interface ValueReader<R> {
  read: (reader: R) => unknown
  /** Whether it is of structs that have no field in common: an error where they stand on their own. */
  readonly disjoint?: boolean
}

/** A type as the peer defined it. Its parts are ids, because a type may be used before its parts are defined. */
export interface WireType<R = unknown> {
  readonly id: number
  readonly name: string
  readonly kind: BasicKind | 'slice' | 'array' | 'map' | 'struct' | 'opaque' | 'interface'
  readonly via?: OpaqueVia
  readonly length?: number
  readonly key?: number
  readonly element?: number
  readonly fields?: readonly { readonly name: string; readonly id: number }[]
  /** Whether its values may hold interfaces, which may hold definitions; known once all its parts are. */
  interfaces: boolean | undefined
  /** How its values are read as each of our types, made when needed. */
  readonly readers: WeakMap<object, ValueReader<R>>
}

/** The types of a stream by id: the basic ones, those that describe types, and what the peer defines. */
export class WireTypes {
  readonly #limits: GobLimits
  readonly #types = new Map<number, WireType>()
  #defined = 0
  #bytes = 0

  constructor(limits: GobLimits) {
    this.#limits = limits
    for (const [kind, id] of Object.entries(basicIds)) {
      this.#add({ id, name: kind, kind: kind as BasicKind | 'interface' })
    }
  }

  get count(): number {
    return this.#defined
  }

  /** Counts the bytes of a definition before it is read. */
  charge(bytes: number): void {
    this.#bytes += bytes
    const { maxDefinitionBytes } = this.#limits
    if (this.#bytes > maxDefinitionBytes) {
      throw new Problem(
        `defines types in more than maxDefinitionBytes, ${maxDefinitionBytes}`,
        'resource_exhausted',
      )
    }
  }

  /** Takes in a type. The id is the one before the definition; the one inside is passed over, as Go does. */
  define(id: number, definition: Definition): void {
    if (id < firstDefinableId) throw new Problem(`defines type ${id}, which is reserved`)
    if (this.#types.has(id)) throw new Problem(`defines type ${id} twice`)
    const { maxTypes } = this.#limits
    if (++this.#defined > maxTypes) {
      throw new Problem(`defines more types than maxTypes, ${maxTypes}`, 'resource_exhausted')
    }
    this.#add({ id, ...partsOf(definition, id, this.#limits.maxNameBytes) })
  }

  /** A type, of which this is the first thing that is asked. */
  find(id: number): WireType {
    const type = this.#types.get(id)
    if (type === undefined) throw new Problem(`has a value of type ${id}, which is not defined`)
    return type
  }

  /**
   * A type whose values can be read: all that it consists of is defined. Tells too whether definitions may stand
   * inside its values.
   */
  complete(id: number): WireType & { readonly interfaces: boolean } {
    const type = this.find(id)
    if (type.interfaces === undefined) {
      // From the type to all that it can reach. Each type is looked at once, however they refer to each other.
      const reached = new Set([type])
      for (const each of reached) for (const part of partIds(each)) reached.add(this.find(part))
      type.interfaces = [...reached].some((each) => each.kind === 'interface')
    }
    return type as WireType & { readonly interfaces: boolean }
  }

  #add(type: Omit<WireType, 'interfaces' | 'readers'>): void {
    this.#types.set(type.id, { ...type, interfaces: undefined, readers: new WeakMap() })
  }
}

function partIds(type: WireType): readonly number[] {
  if (type.fields !== undefined) return type.fields.map((field) => field.id)
  return [type.key, type.element].filter((id) => id !== undefined)
}

function partsOf(
  definition: Definition,
  id: number,
  maxNameBytes: number,
): Omit<WireType, 'id' | 'interfaces' | 'readers'> {
  const named = (common: { readonly Name: string }): string => checkName(common.Name, maxNameBytes)
  const { ArrayT, SliceT, StructT, MapT } = definition
  if (ArrayT) {
    if (ArrayT.Len < 0) throw new Problem(`defines type ${id} as an array of ${ArrayT.Len} elements`)
    return { name: named(ArrayT.CommonType), kind: 'array', element: ArrayT.Elem, length: ArrayT.Len }
  }
  if (SliceT) return { name: named(SliceT.CommonType), kind: 'slice', element: SliceT.Elem }
  if (MapT) return { name: named(MapT.CommonType), kind: 'map', key: MapT.Key, element: MapT.Elem }
  if (StructT) {
    const fields = StructT.Field.map(({ Name, Id }) => {
      if (Name === '') throw new Problem(`defines type ${id} with a field that has no name`)
      return { name: checkName(Name, maxNameBytes), id: Id }
    })
    return { name: named(StructT.CommonType), kind: 'struct', fields }
  }
  for (const [via, field] of Object.entries(opaqueFields)) {
    const opaque = definition[field]
    if (opaque) return { name: named(opaque.CommonType), kind: 'opaque', via: via as OpaqueVia }
  }
  throw new Problem(`defines type ${id} as nothing that is known`)
}

function checkName(name: string, maxNameBytes: number): string {
  if (name.length <= maxNameBytes) return name
  throw new Problem(
    `has a name of ${name.length} characters, more than maxNameBytes, ${maxNameBytes}`,
    'resource_exhausted',
  )
}

/** The types that describe types, as a peer would have defined them; their ids are of no account. */
export function definitionTypes(limits: GobLimits): { readonly types: WireTypes; readonly root: number } {
  const types = new WireTypes({ ...limits, maxTypes: 100, maxDefinitionBytes: Number.POSITIVE_INFINITY })
  const ids = new Map<GobType, number>()
  let last = firstDefinableId
  const common = (Name: string, Id: number) => ({ CommonType: { Name, Id } })
  const idOf = (given: GobType): number => {
    const { type } = resolveType(given)
    const known = ids.get(type)
    if (known !== undefined) return known
    if (type.kind in basicIds) return basicIds[type.kind as BasicKind]
    const id = ++last
    ids.set(type, id)
    if (type.kind === 'slice') types.define(id, { SliceT: { ...common('', id), Elem: idOf(type.element) } })
    if (type.kind === 'struct') {
      const Field = type.fields.map((field) => ({ Name: field.name, Id: idOf(field.type) }))
      types.define(id, { StructT: { ...common(type.name, id), Field } })
    }
    return id
  }
  return { types, root: idOf(wireType) }
}
