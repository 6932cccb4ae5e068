import { RpcError } from '../../core/error.ts'
import { entry, explain, inside, Problem, property } from '../problem.ts'
import { defaultMaxOmittedFields, type ProtobufLimits } from './limits.ts'
import type { Scalar } from './scalars.ts'
import { type FieldType, isMessageType, type MessageType } from './types.ts'
import { WireReader, wires } from './wire-reader.ts'

type Message = Record<string, unknown>

/**
 * Reads one message. All its fields are there: those that the bytes leave out are zero, an empty list or Map, or
 * undefined where absence says something. 64-bit integers are numbers up to 2^53 and bigints beyond, enums their names,
 * maps Maps. Fields that the type does not have are skipped. Nothing in the result refers to `bytes`.
 * @throws RpcError `invalid_argument` for bytes that are no such message, with the path; `resource_exhausted` beyond a
 * limit.
 */
export function decodeMessage(
  type: MessageType,
  bytes: Uint8Array,
  limits: ProtobufLimits,
  range: { readonly start: number; readonly end: number } = { start: 0, end: bytes.length },
): Message {
  const { maxMessageBytes, maxDepth, maxOmittedFields = defaultMaxOmittedFields } = limits
  if (range.end - range.start > maxMessageBytes) {
    throw new RpcError(
      'resource_exhausted',
      `the message has ${range.end - range.start} bytes, at most ${maxMessageBytes} are allowed (limits.maxMessageBytes)`,
    )
  }
  try {
    return readMessage(new WireReader(bytes, range, { maxDepth, maxOmittedFields }), type, undefined)
  } catch (thrown) {
    throw explain(thrown, `the ${type.name} that was received`)
  }
}

// One that comes in several pieces is put together, as protobuf has it.
function readMessage(reader: WireReader, type: MessageType, begun: Message | undefined): Message {
  reader.enter()
  const message = begun ?? { ...templateOf(type) }
  let left = type.fields.length
  while (reader.at < reader.end) {
    const tag = reader.tag()
    const field = type.byNumber.get(tag >>> 3)
    if (field === undefined || !readField(reader, field, tag, message)) reader.skipValue(tag)
    else left--
  }
  if (begun === undefined) {
    if (left > 0) reader.omit(left)
    complete(type, message)
  }
  reader.leave()
  return message
}

/** False where the value is of another kind than the field: then it counts as unknown. */
function readField(reader: WireReader, field: FieldType, tag: number, message: Message): boolean {
  const wire = tag & 7
  const { type, form } = field
  const own = isMessageType(type) || form === 'map' ? wires.bytes : type.wire
  const isPacked = form === 'list' && wire === wires.bytes && own !== wires.bytes
  if (wire !== own && !isPacked) return false
  try {
    if (form === 'single') {
      for (const rival of field.rivals) message[rival] = undefined
      message[field.property] = isMessageType(type)
        ? within(reader, () => readMessage(reader, type, message[field.property] as Message | undefined))
        : type.read(reader)
    } else if (form === 'list')
      readItems(reader, field, isPacked, (message[field.property] ??= []) as unknown[])
    else readEntry(reader, field, (message[field.property] ??= new Map()) as Map<unknown, unknown>)
  } catch (thrown) {
    throw inside(thrown, property(field.property))
  }
  return true
}

function readItems(reader: WireReader, { type }: FieldType, isPacked: boolean, list: unknown[]): void {
  try {
    if (isMessageType(type)) list.push(within(reader, () => readMessage(reader, type, undefined)))
    else if (!isPacked) list.push(type.read(reader))
    else
      within(reader, () => {
        while (reader.at < reader.end) list.push(type.read(reader))
      })
  } catch (thrown) {
    throw inside(thrown, `[${list.length}]`)
  }
}

// An entry is a message with the key as field 1 and the value as field 2; either may be left out.
function readEntry(reader: WireReader, { key: keyType, type }: FieldType, map: Map<unknown, unknown>): void {
  let key: unknown = (keyType as Scalar).zero
  let value: unknown
  try {
    within(reader, () => {
      while (reader.at < reader.end) {
        const tag = reader.tag()
        if (tag === 8 + (keyType as Scalar).wire) key = (keyType as Scalar).read(reader)
        else if (isMessageType(type) && tag === 16 + wires.bytes)
          value = within(reader, () => readMessage(reader, type, value as Message | undefined))
        else if (!isMessageType(type) && tag === 16 + type.wire) value = type.read(reader)
        else reader.skipValue(tag)
      }
    })
  } catch (thrown) {
    throw inside(thrown, entry(key, map.size))
  }
  map.set(key, value ?? (isMessageType(type) ? emptyMessage(reader, type) : type.zero))
}

function emptyMessage(reader: WireReader, type: MessageType): Message {
  reader.omit(type.fields.length)
  const message = { ...templateOf(type) }
  complete(type, message)
  return message
}

/** Reads what has its length before it, and nothing beyond. */
function within<T>(reader: WireReader, read: () => T): T {
  const { end } = reader
  reader.end = reader.span()
  const result = read()
  reader.end = end
  return result
}

function complete(type: MessageType, message: Message): void {
  for (const { property: name, form, required } of type.fields) {
    if (message[name] !== undefined) continue
    if (form === 'list') message[name] = []
    else if (form === 'map') message[name] = new Map()
    else if (required) throw new Problem(`lacks ${name}, which is required`)
  }
}

const templates = new WeakMap<MessageType, Message>()

// To be copied, so that all messages of a type have one shape, and names are own properties whatever they are.
function templateOf(type: MessageType): Message {
  const known = templates.get(type)
  if (known !== undefined) return known
  const template = Object.fromEntries(type.fields.map(({ property: name, zero }) => [name, zero]))
  templates.set(type, template)
  return template
}
