import { describe, Problem } from '../problem.ts'
import type { BasicKind, ConcreteType } from './types.ts'
import type { GobWriter } from './writer.ts'

/** Writes the values of one type. */
export interface TypeWriter {
  readonly type: ConcreteType
  /** Writes a value as the element of something; null and undefined are none here. */
  write(writer: GobWriter, value: unknown): void
  /** Whether a struct leaves out a field with this value. */
  omits(value: unknown): boolean
}

/** A writer of numbers, texts and bytes. */
export function basicWriter(type: ConcreteType & { readonly kind: BasicKind }): TypeWriter {
  switch (type.kind) {
    case 'bool':
      return { type, write: writeBool, omits: (value) => value === false }
    case 'int':
      return { type, write: writeInt, omits: isZero }
    case 'uint':
      return { type, write: writeUint, omits: isZero }
    case 'float':
      // Go leaves out -0 too, and it becomes 0; sent, it arrives.
      return { type, write: writeFloat, omits: (value) => Object.is(value, 0) }
    case 'complex':
      return { type, write: writeComplex, omits: isZeroComplex }
    case 'string':
      return { type, write: writeString, omits: (value) => value === '' }
    case 'bytes':
      return { type, write: writeBytes, omits: (value) => value instanceof Uint8Array && value.length === 0 }
  }
}

function isZero(value: unknown): boolean {
  return value === 0 || value === 0n
}

function writeBool(writer: GobWriter, value: unknown): void {
  if (typeof value !== 'boolean') throw mismatch(value, 'a boolean')
  writer.byte(value ? 1 : 0)
}

function writeInt(writer: GobWriter, value: unknown): void {
  if (typeof value === 'number' && Number.isSafeInteger(value)) writer.int(value)
  else if (typeof value === 'bigint') writer.bigInt(value)
  else throw mismatch(value, 'an integer (beyond 2^53 a bigint)')
}

function writeUint(writer: GobWriter, value: unknown): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) writer.uint(value)
  else if (typeof value === 'bigint') writer.bigUint(value)
  else throw mismatch(value, 'an integer from 0 up (beyond 2^53 a bigint)')
}

function writeFloat(writer: GobWriter, value: unknown): void {
  if (typeof value === 'number') writer.float(value)
  // What says of a whole number that it is a float.
  else if (value instanceof Number) writer.float(value.valueOf())
  else throw mismatch(value, 'a number')
}

interface ComplexLike {
  readonly real?: unknown
  readonly imag?: unknown
}

function writeComplex(writer: GobWriter, value: unknown): void {
  const { real, imag } = (typeof value === 'object' ? value : {}) as ComplexLike
  if (typeof real !== 'number' || typeof imag !== 'number') {
    throw mismatch(value, 'a complex number, which is an object with real and imag')
  }
  writer.float(real)
  writer.float(imag)
}

function isZeroComplex(value: unknown): boolean {
  const { real, imag } = value as ComplexLike
  return Object.is(real, 0) && Object.is(imag, 0)
}

function writeString(writer: GobWriter, value: unknown): void {
  if (typeof value !== 'string') throw mismatch(value, 'a string')
  writer.text(value)
}

function writeBytes(writer: GobWriter, value: unknown): void {
  if (!(value instanceof Uint8Array)) throw mismatch(value, 'a Uint8Array')
  writer.binary(value)
}

/** What is said of a value that is not of its type. */
export function mismatch(value: unknown, expected: string): Problem {
  return new Problem(`is ${describe(value)}, where ${expected} is expected`)
}
