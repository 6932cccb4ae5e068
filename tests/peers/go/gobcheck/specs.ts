import fc from 'fast-check'
import { GobComplex, GobNamed, gob } from '../../../../src/codecs/gob/index.ts'

// Go types as data: described to the Go program as they are, turned into our types, and filled with generated values.

/** The Go type of the same shape as `Spec` in types.go. */
export interface Spec {
  readonly kind: string
  readonly name?: string
  readonly length?: number
  readonly key?: Spec
  readonly elem?: Spec
  readonly fields?: readonly { readonly name: string; readonly type: Spec }[]
}

const ref = (name: string): Spec => ({ kind: 'ref', name })
const of = (kind: string): Spec => ({ kind })
const slice = (elem: Spec): Spec => ({ kind: 'slice', elem })
const map = (key: Spec, elem: Spec): Spec => ({ kind: 'map', key, elem })
const pointer = (elem: Spec): Spec => ({ kind: 'pointer', elem })
const struct = (fields: Record<string, Spec>): Spec => ({
  kind: 'struct',
  fields: Object.entries(fields).map(([name, type]) => ({ name, type })),
})

/** The types in types.go that contain themselves. */
export const named: Readonly<Record<string, Spec>> = {
  Node: struct({ Value: of('int'), Next: pointer(ref('Node')) }),
  Tree: struct({
    Label: of('string'),
    Kids: slice(ref('Tree')),
    Attrs: map(of('string'), pointer(ref('Tree'))),
  }),
  Left: struct({ Name: of('string'), Right: pointer(ref('Right')) }),
  Right: struct({ Size: of('uint'), Left: slice(ref('Left')) }),
  Lists: slice(ref('Lists')),
  Maps: map(of('string'), ref('Maps')),
}

/** What interfaces hold beside the basic types; Go is told to register them. */
export const registered: readonly { readonly name: string; readonly type: Spec }[] = [
  { name: 'shapes.Circle', type: struct({ Radius: of('float64'), Circle: of('string') }) },
  { name: 'shapes.Group', type: struct({ Group: slice(of('interface')), Extra: pointer(ref('Tree')) }) },
  { name: 'shapes.Any', type: struct({ Any: of('interface'), Count: of('int') }) },
  { name: 'shapes.Numbers', type: map(of('string'), of('int32')) },
]

const types = new Map<string, gob.GobType>()

/** Our type for a Go type; the same for the same. */
export function typeOf(spec: Spec): gob.GobType {
  const key = JSON.stringify(spec)
  const known = types.get(key)
  if (known !== undefined) return known
  const made = makeType(spec)
  types.set(key, made)
  return made
}

function makeType(spec: Spec): gob.GobType {
  const elem = spec.elem as Spec
  switch (spec.kind) {
    case 'ref':
      return gob.lazy(() => typeOf(named[spec.name as string] as Spec))
    case 'slice':
      return gob.slice(typeOf(elem))
    case 'array':
      return gob.array(spec.length as number, typeOf(elem))
    case 'map':
      return gob.map(typeOf(spec.key as Spec), typeOf(elem))
    case 'pointer':
      return gob.pointer(typeOf(elem))
    case 'struct':
      return gob.struct(
        'T',
        Object.fromEntries((spec.fields ?? []).map((field) => [field.name, typeOf(field.type)])),
      )
    case 'interface':
      return gob.interface({
        int: gob.int64,
        string: gob.string,
        float64: gob.float,
        bool: gob.bool,
        '[]uint8': gob.bytes,
        '[]string': gob.slice(gob.string),
        complex128: gob.complex,
        ...Object.fromEntries(registered.map(({ name, type }) => [name, gob.lazy(() => typeOf(type))])),
      })
    case 'bool':
      return gob.bool
    case 'string':
      return gob.string
    case 'bytes':
      return gob.bytes
    case 'time':
      return gob.time
    case 'blob':
      return gob.opaque('Blob')
    case 'packed':
      return gob.opaque('Packed', {
        via: 'binary',
        read: (bytes) => bytes,
        write: (bytes) => bytes,
        isZero: (bytes) => bytes.length === 0,
        zero: () => new Uint8Array(0),
      })
    case 'duration':
      return gob.int64
    default:
      if (spec.kind.startsWith('uint')) return gob.uint64
      if (spec.kind.startsWith('int')) return gob.int64
      return spec.kind.startsWith('float') ? gob.float : gob.complex
  }
}

const bits: Readonly<Record<string, number>> = { int: 64, uint: 64, uintptr: 64, duration: 64 }

function integer(kind: string): fc.Arbitrary<number | bigint> {
  const width = bits[kind] ?? Number(kind.replace(/\D/g, ''))
  const signed = !kind.startsWith('u')
  const min = signed ? -(2n ** BigInt(width - 1)) : 0n
  const max = (signed ? 2n ** BigInt(width - 1) : 2n ** BigInt(width)) - 1n
  const edges = [
    min,
    min + 1n,
    -1n,
    0n,
    1n,
    63n,
    64n,
    127n,
    128n,
    255n,
    2n ** 31n,
    2n ** 32n,
    2n ** 53n - 1n,
    2n ** 53n,
    max,
  ]
  return fc
    .oneof(
      fc.constantFrom(...edges.filter((n) => n >= min && n <= max)),
      fc.bigInt({ min, max }),
      fc.integer({ min: 0, max: 100 }),
    )
    .map((value) => {
      const number = Number(value)
      return Number.isSafeInteger(number) ? number : BigInt(value)
    })
}

/** Go's own encoder loses -0 in fields, so there is none. */
const float64 = fc.double({ noNaN: true }).map((n) => n + 0)
const float32 = fc.float({ noNaN: true }).map((n) => n + 0)
const text = fc.oneof(fc.string({ maxLength: 8 }), fc.string({ unit: 'grapheme', maxLength: 60 }))
const bytes = fc.uint8Array({ maxLength: 140 }).map((given) => new Uint8Array(given))

/**
 * Values of a type. `depth` bounds those that contain themselves. Without `nils` no interface is nil: Go itself cannot
 * pass over a nil interface in a slice, array or map that it has no field for (it takes what follows for its type).
 */
export function valueOf(spec: Spec, depth = 3, nils = true): fc.Arbitrary<unknown> {
  const elem = spec.elem as Spec
  // Nil pointers are only left out of structs; as elements there are none.
  const element = elem?.kind === 'pointer' ? (elem.elem as Spec) : elem
  switch (spec.kind) {
    case 'ref':
      return valueOf(named[spec.name as string] as Spec, depth - 1, nils)
    case 'slice':
      return depth <= 0 ? fc.constant([]) : fc.array(valueOf(element, depth - 1, nils), { maxLength: 3 })
    case 'array': {
      const { length = 0 } = spec
      return fc.array(valueOf(element, depth - 1, nils), { minLength: length, maxLength: length })
    }
    case 'map': {
      if (depth <= 0) return fc.constant(new Map())
      const entry = fc.tuple(valueOf(spec.key as Spec, depth - 1, nils), valueOf(element, depth - 1, nils))
      const selector = ([key]: [unknown, unknown]) => tell(spec.key as Spec, key)
      return fc.uniqueArray(entry, { maxLength: 3, selector }).map((entries) => new Map(entries))
    }
    case 'pointer':
      return depth <= 0 ? fc.constant(null) : fc.option(valueOf(elem, depth - 1, nils), { freq: 3 })
    case 'struct':
      return fc.record(
        Object.fromEntries(
          (spec.fields ?? []).map(({ name, type }) => [name, valueOf(type, depth - 1, nils)]),
        ),
      )
    case 'interface': {
      const held: fc.Arbitrary<unknown>[] = [
        ...(nils ? [fc.constant(null)] : []),
        integer('int').map((value) => new GobNamed('int', value)),
        text.map((value) => new GobNamed('string', value)),
        float64.map((value) => new GobNamed('float64', value)),
        fc.boolean().map((value) => new GobNamed('bool', value)),
        bytes.map((value) => new GobNamed('[]uint8', value)),
        fc.array(text, { maxLength: 3 }).map((value) => new GobNamed('[]string', value)),
        ...(depth <= 0
          ? []
          : registered.map(({ name, type }) =>
              valueOf(type, depth - 1, nils).map((value) => new GobNamed(name, value)),
            )),
      ]
      return fc.oneof(...held)
    }
    case 'bool':
      return fc.boolean()
    case 'string':
      return text
    case 'bytes':
    case 'blob':
    case 'packed':
      return bytes
    case 'time':
      return fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }).map((ms) => new Date(ms))
    case 'float32':
      return float32
    case 'float64':
      return float64
    case 'complex64':
      return fc.tuple(float32, float32).map(([real, imag]) => new GobComplex(real, imag))
    case 'complex128':
      return fc.tuple(float64, float64).map(([real, imag]) => new GobComplex(real, imag))
    default:
      return integer(spec.kind)
  }
}

const leaves =
  'bool string bytes int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 uintptr float32 float64 complex64 complex128 duration time interface blob packed'.split(
    ' ',
  )
const keys = 'bool string int int8 uint64 float64'.split(' ')
const leaf = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...leaves).map(of) },
  { weight: 1, arbitrary: fc.constantFrom(...Object.keys(named)).map(ref) },
)

/** Go types, nested a few levels. A slice of uint8 would be bytes. */
export const anySpec: fc.Arbitrary<Spec> = fc.letrec<{ spec: Spec; element: Spec; fields: Spec }>((tie) => ({
  spec: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    tie('fields'),
    pointedOrNot(tie('element')).map(slice),
    keyed(pointedOrNot(tie('element'))),
    arrays(tie('element')),
  ),
  element: tie('spec').map((spec) => (spec.kind === 'uint8' ? of('uint16') : spec)),
  fields: fc
    .array(pointedOrNot(tie('spec')), { minLength: 1, maxLength: 6 })
    .map((list) => struct(Object.fromEntries(list.map((type, i) => [`F${i}`, type])))),
})).spec

/** Go takes no pointer to an interface, and one to a pointer is as good as one. */
function pointed(spec: Spec): Spec {
  return spec.kind === 'interface' ? spec : pointer(spec)
}

// No elements of arrays: where Go fills one up with nil, it cannot send it.
function pointedOrNot(spec: fc.Arbitrary<Spec>): fc.Arbitrary<Spec> {
  return fc.oneof({ weight: 3, arbitrary: spec }, { weight: 1, arbitrary: spec.map(pointed) })
}

function keyed(element: fc.Arbitrary<Spec>): fc.Arbitrary<Spec> {
  const key = fc.oneof(
    fc.constantFrom(...keys).map(of),
    fc.constant(struct({ A: of('int'), B: of('string') })),
    fc.constant({ kind: 'array', length: 2, elem: of('uint8') }),
  )
  return fc.tuple(key, element).map(([k, v]) => map(k, v))
}

function arrays(element: fc.Arbitrary<Spec>): fc.Arbitrary<Spec> {
  return fc
    .tuple(fc.integer({ min: 0, max: 3 }), element)
    .map(([length, elem]) => ({ kind: 'array', length, elem }))
}

const hex = (given: Uint8Array): string => Buffer.from(given).toString('hex')

function floatBits(value: number): string {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return view.getBigUint64(0).toString(16).padStart(16, '0')
}

/** A value in the words of `tell` in peer.go. As fields, pointers to zero are nil: `isField`. */
export function tell(spec: Spec, value: unknown, isField = false): string {
  const elem = spec.elem as Spec
  switch (spec.kind) {
    case 'ref':
      return tell(named[spec.name as string] as Spec, value)
    case 'slice':
    case 'array':
      return `[${(value as unknown[]).map((item) => `${tell(elem, item)},`).join('')}]`
    case 'map': {
      const entries = [...(value as Map<unknown, unknown>)]
      return `{${entries
        .map(([k, v]) => `${tell(spec.key as Spec, k)}:${tell(elem, v)}`)
        .sort()
        .join()}}`
    }
    case 'pointer':
      return value === null || (isField && isOmitted(elem, value)) ? 'nil' : tell(elem, value, isField)
    case 'struct': {
      const object = value as Record<string, unknown>
      return `<${(spec.fields ?? []).map(({ name, type }) => `${tell(type, object[name], true)};`).join('')}>`
    }
    case 'interface': {
      if (value === null) return 'nil'
      const { name, value: held } = value as GobNamed
      const known = registered.find((each) => each.name === name)?.type
      const basic = name === '[]uint8' ? of('bytes') : name === '[]string' ? slice(of('string')) : of(name)
      return `@${name}=${tell(known ?? basic, held)}`
    }
    case 'bool':
      return String(value)
    case 'string':
      return `s${hex(Buffer.from(value as string))}`
    case 'bytes':
      return `b${hex(value as Uint8Array)}`
    case 'blob':
    case 'packed':
      return `o${hex(value as Uint8Array)}`
    case 'time':
      return `t${(value as Date).getTime()}`
    case 'float32':
    case 'float64':
      return `f${floatBits(value as number)}`
    case 'complex64':
    case 'complex128':
      return `c${floatBits((value as GobComplex).real)}${floatBits((value as GobComplex).imag)}`
    default:
      return `${spec.kind.startsWith('u') ? 'u' : 'i'}${String(value)}`
  }
}

/** Whether a struct leaves out a field of a type with this value. */
function isOmitted(spec: Spec, value: unknown): boolean {
  switch (spec.kind) {
    case 'ref':
      return isOmitted(named[spec.name as string] as Spec, value)
    case 'pointer':
      return value === null || isOmitted(spec.elem as Spec, value)
    case 'struct':
    case 'array':
    case 'map':
      return false
    case 'slice':
      return (value as unknown[]).length === 0
    default:
      return [
        'false',
        's',
        'b',
        'o',
        't-62135596800000',
        `f${'0'.repeat(16)}`,
        `c${'0'.repeat(32)}`,
        'i0',
        'u0',
        'nil',
      ].includes(tell(spec, value))
  }
}
