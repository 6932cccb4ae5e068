import { GobComplex } from './complex.ts'
import { isForeign } from './infer.ts'
import { GobNamed } from './named.ts'
import { describe, Problem } from '../problem.ts'
import type { StreamTypes } from './stream-writer.ts'
import { time } from './time.ts'
import * as t from './types.ts'

/** What an interface holds: the registered name, the value, and how to write it. */
export interface Dynamic {
  readonly name: string
  readonly value: unknown
  readonly type: t.GobType
}

const anySlice = t.slice(t.any)
const textMap = t.map(t.string, t.any)
const anyMap = t.map(t.any, t.any)

/** The names under which Go registers slices of basic types by itself, by the names of the elements' types. */
const slices: Readonly<Record<string, { readonly name: string; readonly type: t.GobType }>> = {
  int: { name: '[]int', type: t.slice(t.int) },
  int64: { name: '[]int64', type: t.slice(t.int64) },
  uint64: { name: '[]uint64', type: t.slice(t.uint64) },
  float64: { name: '[]float64', type: t.slice(t.float) },
  complex128: { name: '[]complex128', type: t.slice(t.complex) },
  string: { name: '[]string', type: t.slice(t.string) },
  bool: { name: '[]bool', type: t.slice(t.bool) },
}

/**
 * How a value without a description stands in an interface. Go knows the basic types and slices of them; what it must
 * `gob.Register` to receive the others is `[]interface{}`, `map[string]interface{}` and `time.Time`.
 */
export function dynamicOf(value: unknown, types: StreamTypes): Dynamic {
  switch (typeof value) {
    case 'boolean':
      return { name: 'bool', value, type: t.bool }
    case 'string':
      return { name: 'string', value, type: t.string }
    case 'number':
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) return { name: 'int', value, type: t.int }
      return { name: 'float64', value, type: t.float }
    case 'bigint':
      if (value > 0x7fff_ffff_ffff_ffffn) return { name: 'uint64', value, type: t.uint64 }
      return { name: 'int64', value, type: t.int64 }
    case 'object':
      if (value !== null) return dynamicObject(value, types)
      throw cannotTravel(value)
    default:
      throw cannotTravel(value)
  }
}

function cannotTravel(value: unknown): Problem {
  return new Problem(`is ${describe(value)}, which cannot travel`)
}

function dynamicObject(value: object, types: StreamTypes): Dynamic {
  if (value instanceof GobNamed) {
    return { name: value.name, value: value.value, type: value.type ?? types.infer(value.value) }
  }
  if (value instanceof Uint8Array) return { name: '[]uint8', value, type: t.bytes }
  if (value instanceof Date) return { name: 'time.Time', value, type: time }
  if (value instanceof Number) return { name: 'float64', value, type: t.float }
  if (value instanceof GobComplex) return { name: 'complex128', value, type: t.complex }
  if (Array.isArray(value)) {
    const known = slices[commonName(value, types)]
    return { name: known?.name ?? '[]interface {}', value, type: known?.type ?? anySlice }
  }
  if (value instanceof Map) {
    const isText = [...value.keys()].every((key) => typeof key === 'string')
    return isText
      ? { name: 'map[string]interface {}', value, type: textMap }
      : { name: 'map[interface {}]interface {}', value, type: anyMap }
  }
  if (isForeign(value)) throw cannotTravel(value)
  return { name: 'map[string]interface {}', value: new Map(Object.entries(value)), type: textMap }
}

/** The name of the type that all elements have; integers and floats are floats together. */
function commonName(list: readonly unknown[], types: StreamTypes): string {
  let all = ''
  for (const item of list) {
    // Slices of other things are never of a basic type; they are not looked into.
    if (typeof item === 'object' && !(item instanceof GobComplex)) return ''
    if (typeof item === 'undefined' || typeof item === 'function' || typeof item === 'symbol') return ''
    const { name } = dynamicOf(item, types)
    if (all === '' || all === name) all = name
    else if (`${all} ${name}` === 'int float64' || `${all} ${name}` === 'float64 int') all = 'float64'
    else return ''
  }
  return all
}

/** Whether the name of a registered type says no more than its value does. */
export function isPlainName(name: string): boolean {
  return plainNames.has(name) || name.startsWith('[') || name.startsWith('map[')
}

const plainNames = new Set(
  (
    'int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 uintptr float32 float64 complex64 complex128 ' +
    'bool string time.Time'
  ).split(' '),
)
