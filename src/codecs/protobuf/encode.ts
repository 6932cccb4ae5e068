import type { Output } from '../../core/bytes/output.ts'
import { listNames, showName } from '../../core/names.ts'
import { describe, entry, explain, inside, Problem, property } from '../problem.ts'
import type { ProtobufLimits } from './limits.ts'
import type { Scalar } from './scalars.ts'
import { type FieldType, isMessageType, type MessageType } from './types.ts'
import { wires } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/**
 * Writes one message at `output.at`: the fields in the order of their numbers, zeros left out. A property that is
 * undefined or null is not there; one that the type does not have is an error, so that a slip of the pen is not lost.
 * @throws RpcError `invalid_argument` that names the path to what does not fit, `resource_exhausted` beyond a limit;
 * `output.at` is then as it was.
 */
export function encodeMessage(
  type: MessageType,
  value: unknown,
  output: Output,
  limits: Pick<ProtobufLimits, 'maxMessageBytes' | 'maxDepth'>,
): void {
  const start = output.at
  const writer = new WireWriter(output, limits)
  try {
    writeMessage(writer, type, value)
    writer.finish()
  } catch (thrown) {
    output.at = start
    throw explain(thrown, `the ${type.name} to be sent`)
  }
}

function writeMessage(writer: WireWriter, type: MessageType, value: unknown): void {
  if (!isRecord(value)) throw new Problem(`is ${describe(value)}, and should be an object (${type.name})`)
  checkNames(type, value)
  writer.enter()
  for (const field of inOrder(type)) {
    // Only own properties: a field may be called `constructor`.
    const given = Object.hasOwn(value, field.property) ? value[field.property] : undefined
    try {
      writeField(writer, field, given, value)
    } catch (thrown) {
      throw inside(thrown, property(field.property))
    }
  }
  writer.leave()
}

function writeField(
  writer: WireWriter,
  field: FieldType,
  given: unknown,
  message: Readonly<Record<string, unknown>>,
): void {
  if (given === undefined || given === null) {
    if (field.required) throw new Problem('is required')
    return
  }
  const rival = field.rivals.find(
    (name) => Object.hasOwn(message, name) && (message[name] ?? undefined) !== undefined,
  )
  if (rival !== undefined) throw new Problem(`cannot be set beside ${rival}: one of them at most`)
  switch (field.form) {
    case 'list':
      return writeList(writer, field, given)
    case 'map':
      return writeMap(writer, field, given)
    case 'single':
      if (!isMessageType(field.type) && !field.presence && field.type.isZero(given)) return
      return writeValue(writer, field.number, field.type, given)
  }
}

function writeValue(writer: WireWriter, number: number, type: Scalar | MessageType, value: unknown): void {
  if (!isMessageType(type)) {
    writer.tag(number, type.wire)
    return type.write(writer, value)
  }
  writer.tag(number, wires.bytes)
  writer.span(() => writeMessage(writer, type, value))
}

function writeList(writer: WireWriter, { number, type, packed }: FieldType, given: unknown): void {
  if (!isList(given)) throw new Problem(`is ${describe(given)}, and should be an array`)
  if (given.length === 0) return
  let at = 0
  const writeAll = (write: (item: unknown) => void) => {
    for (; at < given.length; at++) write(given[at])
  }
  try {
    if (!packed || isMessageType(type)) return writeAll((item) => writeValue(writer, number, type, item))
    writer.tag(number, wires.bytes)
    writer.span(() => writeAll((item) => type.write(writer, item)))
  } catch (thrown) {
    throw inside(thrown, `[${at}]`)
  }
}

function writeMap(writer: WireWriter, { number, key: keyType, type }: FieldType, given: unknown): void {
  const isMap = given instanceof Map
  if (!isMap && !isRecord(given)) throw new Problem(`is ${describe(given)}, and should be a Map or an object`)
  let index = 0
  for (const [key, item] of isMap ? (given as Map<unknown, unknown>) : Object.entries(given)) {
    try {
      writer.tag(number, wires.bytes)
      writer.span(() => {
        writeValue(writer, 1, keyType as Scalar, isMap ? key : readKey(keyType as Scalar, key as string))
        writeValue(writer, 2, type, item)
      })
    } catch (thrown) {
      throw inside(thrown, entry(key, index))
    }
    index++
  }
}

// The keys of an object are always texts.
function readKey({ name }: Scalar, key: string): unknown {
  if (name === 'string') return key
  if (name === 'bool') return key === 'true' ? true : key === 'false' ? false : key
  if (!/^-?\d{1,20}$/.test(key)) return key
  const number = Number(key)
  return Number.isSafeInteger(number) ? number : BigInt(key)
}

function checkNames(type: MessageType, value: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(value)) {
    if (type.byProperty.has(name) || value[name] === undefined) continue
    const fields = listNames([...type.byProperty.keys()]) || 'none'
    throw new Problem(
      `has a property ${showName(name)}, and ${type.name} has no such field; its fields: ${fields}`,
    )
  }
}

const orders = new WeakMap<MessageType, readonly FieldType[]>()

function inOrder(type: MessageType): readonly FieldType[] {
  const known = orders.get(type)
  if (known !== undefined) return known
  const order = type.fields.toSorted((a, b) => a.number - b.number)
  orders.set(type, order)
  return order
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Map)
  )
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
}
