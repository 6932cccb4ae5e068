import { describe, Problem } from '../problem.ts'
import { type WireReader, wires } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** How a value that is no message stands on the wire. */
export interface Scalar {
  /** As a `.proto` has it, for messages. */
  readonly name: string
  readonly wire: number
  readonly zero: unknown
  read(reader: WireReader): unknown
  /** @throws Problem for a value that is none of this type. */
  write(writer: WireWriter, value: unknown): void
  /** Whether a value is the zero that is left out. */
  isZero(value: unknown): boolean
}

type Integer = number | bigint

const { varint, fixed64, bytes, fixed32 } = wires
const isZeroInteger = (value: unknown): boolean => value === 0 || value === 0n

function integer(
  name: string,
  options: {
    readonly wire: number
    readonly bits: 32 | 64
    readonly signed: boolean
    read(reader: WireReader): Integer
    write(writer: WireWriter, value: Integer): void
  },
): Scalar {
  const { wire, bits, signed, read, write } = options
  const least = signed ? -(2n ** BigInt(bits - 1)) : 0n
  const most = 2n ** BigInt(signed ? bits - 1 : bits) - 1n
  const fits = (value: unknown): value is Integer =>
    (typeof value === 'bigint' || Number.isSafeInteger(value)) &&
    (value as Integer) >= least &&
    (value as Integer) <= most
  return {
    name,
    wire,
    zero: 0,
    read,
    write(writer, value) {
      if (!fits(value)) throw mismatch(value, `an integer that fits into ${name}`)
      write(writer, bits === 32 ? Number(value) : value)
    },
    isZero: isZeroInteger,
  }
}

function floating(name: string, wire: number, read: (reader: WireReader) => number): Scalar {
  return {
    name,
    wire,
    zero: 0,
    read,
    write(writer, value) {
      if (typeof value !== 'number') throw mismatch(value, 'a number')
      if (wire === fixed32) writer.float(value)
      else writer.double(value)
    },
    // Minus zero is not what a reader fills in.
    isZero: (value) => Object.is(value, 0),
  }
}

const zigzag = (value: Integer): Integer => {
  const wide = BigInt(value)
  return wide >= 0n ? wide * 2n : -wide * 2n - 1n
}

const table: readonly Scalar[] = [
  integer('int32', {
    wire: varint,
    bits: 32,
    signed: true,
    read(reader) {
      reader.varint()
      return reader.low | 0
    },
    write: (writer, value) => writer.integer(value),
  }),
  integer('int64', {
    wire: varint,
    bits: 64,
    signed: true,
    read(reader) {
      reader.varint()
      return reader.signed64()
    },
    write: (writer, value) => writer.integer(value),
  }),
  integer('uint32', {
    wire: varint,
    bits: 32,
    signed: false,
    read(reader) {
      reader.varint()
      return reader.low
    },
    write: (writer, value) => writer.integer(value),
  }),
  integer('uint64', {
    wire: varint,
    bits: 64,
    signed: false,
    read(reader) {
      reader.varint()
      return reader.unsigned64()
    },
    write: (writer, value) => writer.integer(value),
  }),
  integer('sint32', {
    wire: varint,
    bits: 32,
    signed: true,
    read(reader) {
      reader.varint()
      reader.zigzag()
      return reader.low | 0
    },
    write: (writer, value) => writer.integer(zigzag(value)),
  }),
  integer('sint64', {
    wire: varint,
    bits: 64,
    signed: true,
    read(reader) {
      reader.varint()
      reader.zigzag()
      return reader.signed64()
    },
    write: (writer, value) => writer.integer(zigzag(value)),
  }),
  integer('fixed32', {
    wire: fixed32,
    bits: 32,
    signed: false,
    read: (reader) => reader.fixed32(),
    write: (writer, value) => writer.fixed32(Number(value)),
  }),
  integer('sfixed32', {
    wire: fixed32,
    bits: 32,
    signed: true,
    read: (reader) => reader.fixed32() | 0,
    write: (writer, value) => writer.fixed32(Number(value)),
  }),
  integer('fixed64', {
    wire: fixed64,
    bits: 64,
    signed: false,
    read(reader) {
      reader.fixed64()
      return reader.unsigned64()
    },
    write: (writer, value) => writer.fixed64(value),
  }),
  integer('sfixed64', {
    wire: fixed64,
    bits: 64,
    signed: true,
    read(reader) {
      reader.fixed64()
      return reader.signed64()
    },
    write: (writer, value) => writer.fixed64(value),
  }),
  floating('float', fixed32, (reader) => reader.float()),
  floating('double', fixed64, (reader) => reader.double()),
  {
    name: 'bool',
    wire: varint,
    zero: false,
    read(reader) {
      reader.varint()
      return (reader.low | reader.high) !== 0
    },
    write(writer, value) {
      if (typeof value !== 'boolean') throw mismatch(value, 'true or false')
      writer.varint(value ? 1 : 0, 0)
    },
    isZero: (value) => value === false,
  },
  {
    name: 'string',
    wire: bytes,
    zero: '',
    read: (reader) => reader.text(),
    write(writer, value) {
      if (typeof value !== 'string') throw mismatch(value, 'a string')
      writer.text(value)
    },
    isZero: (value) => value === '',
  },
  {
    name: 'bytes',
    wire: bytes,
    zero: new Uint8Array(0),
    read: (reader) => reader.binary(),
    write(writer, value) {
      if (!(value instanceof Uint8Array)) throw mismatch(value, 'a Uint8Array')
      writer.binary(value)
    },
    isZero: (value) => value instanceof Uint8Array && value.length === 0,
  },
]

/** The types that every `.proto` has, by their names. */
export const scalars: ReadonlyMap<string, Scalar> = new Map(table.map((scalar) => [scalar.name, scalar]))

/** An enum: its names, where they are known, and numbers else. */
export function enumScalar(name: string, numbers: ReadonlyMap<string, number>): Scalar {
  const names = new Map<number, string>()
  // Of several names for a number the first is its name.
  for (const [text, number] of numbers) if (!names.has(number)) names.set(number, text)
  const zero = names.get(0) ?? names.values().next().value ?? 0
  const numberOf = (value: unknown) => (typeof value === 'string' ? numbers.get(value) : value)
  return {
    name,
    wire: varint,
    zero,
    read(reader) {
      reader.varint()
      const number = reader.low | 0
      return names.get(number) ?? number
    },
    write(writer, value) {
      const number = numberOf(value)
      if (typeof number !== 'number' || (number | 0) !== number)
        throw mismatch(value, `one of ${name}: ${[...numbers.keys()].slice(0, 10).join(', ')}`)
      writer.integer(number)
    },
    isZero: (value) => numberOf(value) === 0,
  }
}

function mismatch(value: unknown, wanted: string): Problem {
  return new Problem(`is ${describe(value)}, and should be ${wanted}`)
}
