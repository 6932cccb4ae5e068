import type protobufjs from 'protobufjs'
import type { Enum, Field, NamespaceBase, ReflectionObject, Root, Type } from 'protobufjs'
import { enumScalar, type Scalar, scalars } from './scalars.ts'
import { type FieldType, isMessageType, type MessageType } from './types.ts'

interface MutableMessageType extends MessageType {
  readonly fields: FieldType[]
  readonly byNumber: Map<number, FieldType>
  readonly byProperty: Map<string, FieldType>
}

interface Build {
  readonly library: typeof protobufjs
  readonly camelCase: boolean
  readonly messages: Map<Type, MutableMessageType>
  readonly enums: Map<Enum, Scalar>
}

const maxFieldNumber = 0x1fff_ffff
const longTypes: ReadonlySet<string> = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'])

/**
 * What the parser found, in our own words: all that is taken from the library. Its own readers and writers are made with
 * `Function`, which some platforms forbid, and their limits are one setting for the whole process.
 * @throws Error that says what is not supported.
 */
export function toMessageTypes(root: Root, library: typeof protobufjs, camelCase: boolean): MessageType[] {
  const build: Build = { library, camelCase, messages: new Map(), enums: new Map() }
  for (const type of typesIn(root, library)) {
    const message = { name: nameOf(type), fields: [], byNumber: new Map(), byProperty: new Map() }
    build.messages.set(type, message)
  }
  // Only now, for messages hold each other.
  for (const [type, message] of build.messages) addFields(type, message, build)
  return [...build.messages.values()]
}

function typesIn(space: NamespaceBase, library: typeof protobufjs): Type[] {
  return space.nestedArray.flatMap((nested): Type[] => {
    if (nested instanceof library.Type) return [nested, ...typesIn(nested, library)]
    return nested instanceof library.Namespace ? typesIn(nested, library) : []
  })
}

function addFields(type: Type, message: MutableMessageType, build: Build): void {
  for (const field of type.fieldsArray) {
    // An extension that another text declares; read, it counts as unknown.
    if (field.declaringField !== null) continue
    const path = `${message.name}.${field.name}`
    const converted = toField(field.resolve(), path, build)
    if (message.byProperty.has(converted.property))
      throw new Error(`two fields of ${message.name} are called ${converted.property}`)
    message.fields.push(converted)
    message.byNumber.set(converted.number, converted)
    message.byProperty.set(converted.property, converted)
  }
}

function toField(field: Field, path: string, build: Build): FieldType {
  const { library, camelCase } = build
  if (field.delimited) throw new Error(`${path} is a group, which is not supported; use a message field`)
  if (!(field.id >= 1 && field.id <= maxFieldNumber))
    throw new Error(`${path} has the number ${field.id}, which is none`)
  const type = toType(field.resolvedType, field.type, build)
  const form = field.map ? 'map' : field.repeated ? 'list' : 'single'
  const propertyOf = (name: string) => (camelCase ? toCamelCase(name) : name)
  const isMessage = isMessageType(type)
  return {
    name: field.name,
    property: propertyOf(field.name),
    number: field.id,
    type,
    form,
    key: field instanceof library.MapField ? scalars.get(field.keyType) : undefined,
    packed: field.packed && !isMessage && type.wire !== 2,
    presence: field.hasPresence === true || field.partOf !== null || isMessage,
    required: field.required,
    zero: form === 'single' && !isMessage ? zeroOf(field, type, path) : undefined,
    rivals: (field.partOf?.oneof ?? []).filter((name) => name !== field.name).map(propertyOf),
  }
}

function toType(resolved: Type | Enum | null, name: string, build: Build): Scalar | MessageType {
  if (resolved === null) {
    const scalar = scalars.get(name)
    if (scalar === undefined) throw new Error(`there is no type ${name}`)
    return scalar
  }
  if (resolved instanceof build.library.Type) {
    const message = build.messages.get(resolved)
    if (message === undefined) throw new Error(`there is no message ${name}`)
    return message
  }
  const known = build.enums.get(resolved)
  if (known !== undefined) return known
  const scalar = enumScalar(nameOf(resolved), new Map(Object.entries(resolved.values)))
  build.enums.set(resolved, scalar)
  return scalar
}

// Where presence was asked for (`optional` of proto3, a oneof), absence is undefined. In proto2 every field has presence,
// whether anybody looks at it or not, and a reader gets the default.
function zeroOf(field: Field, scalar: Scalar, path: string): unknown {
  if (field.partOf !== null || field.required) return undefined
  const given: unknown = field.options?.['default']
  if (given === undefined) return scalar.zero
  if (scalar.name === 'bytes') return new Uint8Array(field.defaultValue as Uint8Array)
  if (longTypes.has(scalar.name) && !Number.isSafeInteger(given))
    throw new Error(`the default of ${path} is too large to be read exactly`)
  return given
}

// The rule by which protobuf makes names for JSON.
function toCamelCase(name: string): string {
  return name.replace(/_+(.?)/g, (_all, next: string) => next.toUpperCase())
}

// The library's full names begin with a dot.
function nameOf(object: ReflectionObject): string {
  return object.fullName.replace(/^\./, '')
}
