import { RpcError } from '../../core/error.ts'
import type { GobComplex } from './complex.ts'

declare const inferred: unique symbol

/** A description of a Go type. `T` is the type of its values here; nothing of it exists at run time. */
export interface GobType<T = unknown> {
  readonly kind: GobKind
  readonly [inferred]?: T
}

/** The TypeScript type of the values of a gob type: `type Args = Infer<typeof Args>`. */
export type Infer<T> = T extends { readonly [inferred]?: infer V } ? V : never

/** The kinds of types; `lazy` and `pointer` stand for the type that they lead to. */
export type GobKind =
  | BasicKind
  | 'slice'
  | 'array'
  | 'map'
  | 'struct'
  | 'opaque'
  | 'interface'
  | 'any'
  | 'pointer'
  | 'lazy'

/** The kinds that every peer knows without a definition. */
export type BasicKind = 'bool' | 'int' | 'uint' | 'float' | 'complex' | 'string' | 'bytes'

/** A type without parts. */
export interface BasicType<T> extends GobType<T> {
  readonly kind: BasicKind
  /** Integers only: whether values beyond 2^53 are bigints; otherwise they are an error. */
  readonly wide?: boolean
}

/** Go's `[]T`. */
export interface SliceType<T = unknown> extends GobType<T[]> {
  readonly kind: 'slice'
  readonly element: GobType<T>
}

/** Go's `[n]T`. */
export interface ArrayType<T = unknown> extends GobType<T[]> {
  readonly kind: 'array'
  readonly length: number
  readonly element: GobType<T>
}

/** Go's `map[K]V`. */
export interface MapType<K = unknown, V = unknown> extends GobType<Map<K, V>> {
  readonly kind: 'map'
  readonly key: GobType<K>
  readonly element: GobType<V>
}

/** A field that is called otherwise here than there. */
export interface Field<T = unknown> {
  readonly field: string
  readonly type: GobType<T>
  readonly [inferred]?: T
}

/** The fields of a struct, by the names of the properties. */
export type Fields = Readonly<Record<string, GobType | Field>>

type Nilable<F> = { [K in keyof F]: null extends Infer<F[K]> ? K : never }[keyof F]

/** The object that a struct is here. What can be nil may be missing. */
export type StructValue<F> = {
  -readonly [K in Exclude<keyof F, Nilable<F>>]: Infer<F[K]>
} & { -readonly [K in Nilable<F>]?: Infer<F[K]> } extends infer O
  ? { [K in keyof O]: O[K] }
  : never

/** Go's `struct`. */
export interface StructType<T = unknown> extends GobType<T> {
  readonly kind: 'struct'
  readonly name: string
  readonly fields: readonly { readonly property: string; readonly name: string; readonly type: GobType }[]
}

/** Go's `*T`, which is T on the wire. */
export interface PointerType<T = unknown> extends GobType<T | null> {
  readonly kind: 'pointer'
  readonly element: GobType<T>
}

/** A type that is looked up when it is needed. */
export interface LazyType<T = unknown> extends GobType<T> {
  readonly kind: 'lazy'
  readonly resolve: () => GobType<T>
}

/** What an interface may hold, by registered names. */
export type InterfaceTable = Readonly<Record<string, GobType>>

/** Go's `interface`, of which the concrete types are known. */
export interface InterfaceType<T = unknown> extends GobType<T> {
  readonly kind: 'interface'
  readonly table: ReadonlyMap<string, GobType>
}

/** Anything: an interface where it is part of another type, the value as it comes where it is the whole. */
export interface AnyType extends GobType<unknown> {
  readonly kind: 'any'
}

/** By which of Go's methods an opaque type makes its bytes; it must be the one that the peer's type has. */
export type OpaqueVia = 'gob' | 'binary' | 'text'

/** How a type that makes its own bytes becomes a value here. */
export interface OpaqueOptions<T> {
  /** Default `gob`, Go's `GobEncoder`. */
  readonly via?: OpaqueVia
  /** Makes a value of the bytes, which are its own. What it throws becomes `invalid_argument`. */
  read(bytes: Uint8Array): T
  /** The bytes of a value. */
  write(value: T): Uint8Array
  /** Whether a value is Go's zero value, which structs leave out. Default: none is. */
  isZero?(value: T): boolean
  /** The value where a struct leaves it out. */
  zero(): T
}

/** A Go type with `GobEncode`, `MarshalBinary` or `MarshalText`. */
export interface OpaqueType<T = unknown> extends GobType<T> {
  readonly kind: 'opaque'
  readonly name: string
  readonly options: OpaqueOptions<T>
}

/** Every type there is, for a switch over `kind`. */
export type AnyGobType =
  | BasicType<unknown>
  | SliceType
  | ArrayType
  | MapType
  | StructType
  | OpaqueType
  | InterfaceType
  | AnyType
  | PointerType
  | LazyType

/** All of Go's signed integers up to 53 bits, `time.Duration` (nanoseconds) too. Larger ones are an error: see {@link int64}. */
export const int: BasicType<number> = Object.freeze({ kind: 'int' })
/** All of Go's signed integers, exactly: a number where it is a safe integer, else a bigint. */
export const int64: BasicType<number | bigint> = Object.freeze({ kind: 'int', wide: true })
/** All of Go's unsigned integers up to 53 bits. Larger ones are an error: see {@link uint64}. */
export const uint: BasicType<number> = Object.freeze({ kind: 'uint' })
/** All of Go's unsigned integers, exactly: a number where it is a safe integer, else a bigint. */
export const uint64: BasicType<number | bigint> = Object.freeze({ kind: 'uint', wide: true })
/** `float32` and `float64`. */
export const float: BasicType<number> = Object.freeze({ kind: 'float' })
/** `complex64` and `complex128`. */
export const complex: BasicType<GobComplex> = Object.freeze({ kind: 'complex' })
export const bool: BasicType<boolean> = Object.freeze({ kind: 'bool' })
/** UTF-8. A Go string that is none is an error; it can be read as {@link bytes}. */
export const string: BasicType<string> = Object.freeze({ kind: 'string' })
/** `[]byte`; takes a Go string too. */
export const bytes: BasicType<Uint8Array> = Object.freeze({ kind: 'bytes' })
/** Anything, without a description: see {@link AnyType}. */
export const any: AnyType = Object.freeze({ kind: 'any' })

/** Go's `[]T`; an absent one is `[]`. For `[]byte` take {@link bytes}. */
export function slice<T>(element: GobType<T>): SliceType<T> {
  return Object.freeze({ kind: 'slice', element: checked(element, 'the element of a slice') })
}

/** Go's `[length]T`, also of bytes; an array of this length, a typed one will do. */
export function array<T>(length: number, element: GobType<T>): ArrayType<T> {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new RpcError('invalid_argument', `the length of an array must be a whole number, got ${length}`)
  }
  return Object.freeze({ kind: 'array', length, element: checked(element, 'the element of an array') })
}

/** Go's `map[K]V`, as a Map; an absent one is empty. */
export function map<K, V>(key: GobType<K>, element: GobType<V>): MapType<K, V> {
  return Object.freeze({
    kind: 'map',
    key: checked(key, 'the key of a map'),
    element: checked(element, 'the element of a map'),
  })
}

/**
 * Go's `struct`: an object. Fields are matched by name, so their order is free, the peer's others are passed over, and
 * what the peer does not send is zero. Go sends and reads only fields that begin with a capital letter.
 */
export function struct<const F extends Fields>(name: string, fields: F): StructType<StructValue<F>> {
  const seen = new Set<string>()
  const list = Object.entries(fields).map(([key, given]) => {
    const isField = typeof given === 'object' && given !== null && 'field' in given
    const field = isField ? given : { field: key, type: given }
    const where = `field ${key} of ${name || 'a struct'}`
    if (field.field === '') throw new RpcError('invalid_argument', `${where} has an empty name`)
    if (seen.has(field.field)) {
      throw new RpcError('invalid_argument', `${where} is called '${field.field}', as another field is`)
    }
    seen.add(field.field)
    return Object.freeze({ property: key, name: field.field, type: checked(field.type, where) })
  })
  return Object.freeze({ kind: 'struct', name, fields: Object.freeze(list) })
}

/** A field with a name of its own: `struct('Args', { num1: field('Num1', int) })`. */
export function field<T>(name: string, type: GobType<T>): Field<T> {
  return Object.freeze({ field: name, type })
}

/** Go's `*T`: the value, or null for nil. A pointer to a zero number, text or empty slice arrives as nil. */
export function pointer<T>(element: GobType<T>): PointerType<T> {
  return Object.freeze({ kind: 'pointer', element: checked(element, 'what a pointer points at') })
}

/** A type that is defined later, or contains itself: `pointer(lazy(() => Node))`. */
export function lazy<T>(resolve: () => GobType<T>): LazyType<T> {
  return Object.freeze({ kind: 'lazy', resolve })
}

/** One of the names of a table with its value; or nil. */
export type InterfaceValue<T extends InterfaceTable> =
  | { [N in keyof T & string]: { readonly name: N; readonly value: Infer<T[N]> } }[keyof T & string]
  | null

/**
 * Go's interface types. The table has the names under which Go registers the concrete types (`gob.Register`:
 * `main.Circle`; basic ones are registered as `int`, `string`, `[]string`, …).
 */
export function interfaceOf<const T extends InterfaceTable>(table: T): InterfaceType<InterfaceValue<T>> {
  const entries = Object.entries(table).map(([name, type]) => [name, checked(type, `type ${name}`)] as const)
  return Object.freeze({ kind: 'interface', table: new Map(entries) })
}

/** A type that makes its own bytes; without options they are passed on as they are. */
export function opaque(name: string): OpaqueType<Uint8Array>
export function opaque<T>(name: string, options: OpaqueOptions<T>): OpaqueType<T>
export function opaque(name: string, options: OpaqueOptions<unknown> = asBytes): OpaqueType<unknown> {
  return Object.freeze({ kind: 'opaque', name, options })
}

const asBytes: OpaqueOptions<Uint8Array> = {
  read: (given) => given,
  write: (given) => given,
  isZero: (given) => given.length === 0,
  zero: () => new Uint8Array(0),
}

/** The type that pointers and lazy references lead to, and whether nil is one of its values. */
export function resolveType(type: GobType): { readonly type: ConcreteType; readonly nilable: boolean } {
  let at = type as AnyGobType
  let nilable = false
  // A chain that leads back to itself (a pointer to itself) has no end.
  for (let steps = 0; at.kind === 'pointer' || at.kind === 'lazy'; steps++) {
    if (steps > 100) throw new RpcError('invalid_argument', 'a gob type leads only back to itself')
    nilable ||= at.kind === 'pointer'
    at = checked(at.kind === 'pointer' ? at.element : at.resolve(), 'a lazy reference') as AnyGobType
  }
  return { type: at, nilable }
}

/** A type that is no reference to another. */
export type ConcreteType = Exclude<AnyGobType, PointerType | LazyType>

/** Whether something is a gob type. */
export function isGobType(value: unknown): value is GobType {
  return typeof value === 'object' && value !== null && typeof (value as { kind?: unknown }).kind === 'string'
}

function checked<T>(type: GobType<T>, what: string): GobType<T> {
  if (isGobType(type)) return type
  throw new RpcError(
    'invalid_argument',
    `${what} is no gob type; where it is defined later, use gob.lazy(() => …)`,
  )
}
