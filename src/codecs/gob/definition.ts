import * as t from './types.ts'

// How types are told to a peer: as values of a struct that every peer knows. It is described here in the words that
// describe any other type, so that definitions are written and read by the same code as values.

/** The ids that every peer knows. */
export const basicIds: Readonly<Record<t.BasicKind | 'interface', number>> = {
  bool: 1,
  int: 2,
  uint: 3,
  float: 4,
  bytes: 5,
  string: 6,
  complex: 7,
  interface: 8,
}

/** The first id that a peer may define; Farcall's own begin one later, as Go's do. */
export const firstDefinableId = 64

const common = t.struct('CommonType', { Name: t.string, Id: t.int })
const opaque = t.struct('gobEncoderType', { CommonType: common })

/** A definition: one of its fields is set. The order of the fields is their number on the wire. */
export const wireType = t.struct('wireType', {
  ArrayT: t.pointer(t.struct('arrayType', { CommonType: common, Elem: t.int, Len: t.int })),
  SliceT: t.pointer(t.struct('sliceType', { CommonType: common, Elem: t.int })),
  StructT: t.pointer(
    t.struct('structType', {
      CommonType: common,
      Field: t.slice(t.struct('fieldType', { Name: t.string, Id: t.int })),
    }),
  ),
  MapT: t.pointer(t.struct('mapType', { CommonType: common, Key: t.int, Elem: t.int })),
  GobEncoderT: t.pointer(opaque),
  BinaryMarshalerT: t.pointer(opaque),
  TextMarshalerT: t.pointer(opaque),
})

/** A definition as a value. */
export type Definition = t.Infer<typeof wireType>

/** The fields of a definition for types that make their own bytes. */
export const opaqueFields = {
  gob: 'GobEncoderT',
  binary: 'BinaryMarshalerT',
  text: 'TextMarshalerT',
} as const satisfies Record<t.OpaqueVia, keyof Definition>

/** Makes the definition of a type; `idOf` gives the ids of its parts. */
export function defineType(
  type: t.ConcreteType,
  id: number,
  idOf: (part: t.GobType) => number,
): Definition | undefined {
  const CommonType = { Name: 'name' in type ? type.name : '', Id: id }
  switch (type.kind) {
    case 'slice':
      return { SliceT: { CommonType, Elem: idOf(type.element) } }
    case 'array':
      return { ArrayT: { CommonType, Elem: idOf(type.element), Len: type.length } }
    case 'map':
      return { MapT: { CommonType, Key: idOf(type.key), Elem: idOf(type.element) } }
    case 'struct': {
      const Field = type.fields.map((field) => ({ Name: field.name, Id: idOf(field.type) }))
      return { StructT: { CommonType, Field } }
    }
    case 'opaque':
      return { [opaqueFields[type.options.via ?? 'gob']]: { CommonType } }
    default:
      return undefined
  }
}
