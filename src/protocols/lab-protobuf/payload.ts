import { decodeMessage, type MessageType } from '../../codecs/protobuf/index.ts'
import type { Arguments } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { listNames } from '../../core/names.ts'
import { sendableKind } from '../../core/sendable.ts'
import { isStream } from '../../core/stream.ts'
import type { LabSchema, PayloadField } from './schema.ts'

/** A message as an object. */
export type Message = Readonly<Record<string, unknown>>

/**
 * The field for a method among those of a message: the one that is called like it, else the one whose message is, with
 * or without `Request` or `Response` behind. Upper case and underscores do not count.
 */
export function fieldFor(method: string, fields: readonly PayloadField[]): PayloadField | undefined {
  const name = plain(method)
  const isItsMessage = ({ type }: PayloadField) =>
    plain(type.name.slice(type.name.lastIndexOf('.') + 1)).replace(/(request|response)$/, '') === name
  return fields.find((field) => plain(field.name) === name) ?? fields.find(isItsMessage)
}

/** The field of a response for a method: that which is called like the request's, else the method's own. */
export function answerFor(
  { response: { payloads } }: LabSchema,
  method: string,
  asked: PayloadField | undefined,
): PayloadField | undefined {
  return payloads.find(({ name }) => name === asked?.name) ?? fieldFor(method, payloads)
}

/** Those that are there. */
export function present(message: Message, fields: readonly PayloadField[]): PayloadField[] {
  return fields.filter(({ property }) => message[property] !== undefined)
}

/** A message that was left out: all its fields are zero. */
export function emptyMessage(type: MessageType, limits: Limits): Message {
  return decodeMessage(type, new Uint8Array(0), limits)
}

/** What arguments are put into: a message, or what a registry takes. */
export interface Parameters {
  /** For errors. */
  readonly method: string
  readonly names: readonly string[]
  /** Whether the first is an object by itself, so that an object may be meant for it alone. */
  readonly takesObject: boolean
}

/**
 * Arguments by their names: one object that holds them all, or by position, by name, or both.
 * @throws RpcError `invalid_argument` for too many or one that is given twice, `unimplemented` for streams.
 */
export function argumentsByName({ list, named }: Arguments, parameters: Parameters): Message {
  const { method, names, takesObject } = parameters
  if ([...list, ...(named?.values() ?? [])].some(isStream))
    throw new RpcError('unimplemented', "the protocol 'lab-protobuf' cannot carry streams")
  const [first] = list
  if (
    list.length === 1 &&
    named === undefined &&
    isPlainObject(first) &&
    !(takesObject && !hasOnly(first, names))
  )
    return first
  if (list.length > names.length) {
    const takes = names.length === 0 ? 'no arguments' : listNames(names)
    throw new RpcError('invalid_argument', `${method} takes ${takes}, got ${list.length} arguments`)
  }
  const twice = names.slice(0, list.length).find((name) => named?.has(name) === true)
  if (twice !== undefined)
    throw new RpcError('invalid_argument', `${method} got argument '${twice}' twice: by position and by name`)
  return Object.fromEntries([
    ...list.map((value, at) => [names[at] as string, value] as const),
    ...(named ?? []),
  ])
}

/** What a method answered with, as a message: an object by the names of its fields, another value in the only field. */
export function messageOfResult(type: MessageType, value: unknown): Message {
  if (value === undefined || value === null) return {}
  const names = [...type.byProperty.keys()]
  if (isPlainObject(value) && hasOnly(value, names)) return value
  const [sole] = names
  if (sole !== undefined && names.length === 1) return { [sole]: value }
  if (isPlainObject(value)) return value
  const why = sole === undefined ? 'it has no field' : `it has several fields: ${listNames(names)}`
  throw new RpcError('invalid_argument', `a single value cannot be a ${type.name}: ${why}`)
}

/** The other way round. */
export function resultOfMessage(type: MessageType, message: Message): unknown {
  const [sole] = type.fields
  if (sole === undefined) return undefined
  return type.fields.length === 1 ? message[sole.property] : message
}

function hasOnly(value: Message, names: readonly string[]): boolean {
  return Object.keys(value).every((key) => names.includes(key))
}

function isPlainObject(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && sendableKind(value) === 'object'
}

function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase()
}
