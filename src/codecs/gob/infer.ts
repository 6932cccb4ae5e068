import { GobComplex } from './complex.ts'
import { GobNamed } from './named.ts'
import { describe, inside, Problem, property } from '../problem.ts'
import { time } from './time.ts'
import * as t from './types.ts'

/** What is known of the type of a value. `nothing` is that of an empty array's elements. */
export type Guess =
  | { readonly kind: t.BasicKind | 'time' | 'any' | 'nothing' }
  | { readonly kind: 'slice'; readonly element: Guess }
  | { readonly kind: 'map'; readonly key: Guess; readonly element: Guess }
  | { readonly kind: 'struct'; readonly fields: ReadonlyMap<string, Guess> }

const simple = Object.fromEntries(
  (['bool', 'int', 'uint', 'float', 'complex', 'string', 'bytes', 'time', 'any', 'nothing'] as const).map(
    (kind) => [kind, { kind }],
  ),
) as Record<t.BasicKind | 'time' | 'any' | 'nothing', Guess>

/**
 * The type of a value that comes without one: integers are int, other numbers and Number objects float, objects structs,
 * Maps maps, and arrays slices of what their elements have in common.
 */
export function guess(
  value: unknown,
  limits: { readonly maxDepth: number; readonly maxMessageBytes: number },
): Guess {
  // Every value takes a byte at least; one that is referred to from many places is many values.
  return guessValue(value, { depth: limits.maxDepth, left: limits.maxMessageBytes })
}

interface Walk {
  depth: number
  left: number
}

function guessValue(value: unknown, walk: Walk): Guess {
  if (walk.left-- <= 0) throw new Problem('is too large for a message', 'resource_exhausted')
  switch (typeof value) {
    case 'boolean':
      return simple.bool
    case 'string':
      return simple.string
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? simple.int : simple.float
    case 'bigint':
      return value > 0x7fff_ffff_ffff_ffffn ? simple.uint : simple.int
    case 'object':
      return value === null ? simple.any : guessObject(value, walk)
    case 'undefined':
      return simple.any
    default:
      throw new Problem(`is ${describe(value)}, which cannot travel`)
  }
}

function guessObject(value: object, walk: Walk): Guess {
  if (value instanceof Uint8Array) return simple.bytes
  if (value instanceof Date) return simple.time
  if (value instanceof GobComplex) return simple.complex
  if (value instanceof Number) return simple.float
  if (value instanceof GobNamed) return simple.any
  if (walk.depth <= 0) throw new Problem('is nested too deep (a cycle cannot travel)')
  walk.depth--
  const found = guessContainer(value, walk)
  walk.depth++
  return found
}

function guessContainer(value: object, walk: Walk): Guess {
  if (Array.isArray(value)) return { kind: 'slice', element: common(value, (i) => `[${i}]`, walk) }
  if (value instanceof Map) {
    return {
      kind: 'map',
      key: common(value.keys(), (i) => `.keys()[${i}]`, walk),
      element: common(value.values(), (i) => `.values()[${i}]`, walk),
    }
  }
  if (isForeign(value)) throw new Problem(`is ${describe(value)}, which cannot travel`)
  const fields = new Map<string, Guess>()
  for (const [name, item] of Object.entries(value)) {
    // Nil has no type, and needs none: the field is left out, which is what a nil field is.
    if (item === null || item === undefined) continue
    if (name === '') throw new Problem('has a property with an empty name, which no Go field can have')
    try {
      fields.set(name, guessValue(item, walk))
    } catch (thrown) {
      throw inside(thrown, property(name))
    }
  }
  return { kind: 'struct', fields }
}

/** Objects that would lose what they are: typed arrays other than bytes, sets, promises, errors. */
export function isForeign(value: object): boolean {
  const tag = Object.prototype.toString.call(value)
  return tag !== '[object Object]' || typeof (value as { then?: unknown }).then === 'function'
}

function common(items: Iterable<unknown>, step: (index: number) => string, walk: Walk): Guess {
  let all: Guess = simple.nothing
  let i = 0
  try {
    for (const item of items) {
      all = unify(all, guessValue(item, walk))
      i++
    }
  } catch (thrown) {
    throw inside(thrown, step(i))
  }
  return all
}

/** The type that holds the values of both. */
export function unify(a: Guess, b: Guess): Guess {
  if (a === b || b.kind === 'nothing') return a
  if (a.kind === 'nothing') return b
  if (a.kind === 'slice' && b.kind === 'slice') return { kind: 'slice', element: unify(a.element, b.element) }
  if (a.kind === 'map' && b.kind === 'map') {
    return { kind: 'map', key: unify(a.key, b.key), element: unify(a.element, b.element) }
  }
  if (a.kind === 'struct' && b.kind === 'struct') {
    const fields = new Map(a.fields)
    for (const [name, other] of b.fields) fields.set(name, unify(fields.get(name) ?? simple.nothing, other))
    return { kind: 'struct', fields }
  }
  const isNumber = (a.kind === 'int' && b.kind === 'float') || (a.kind === 'float' && b.kind === 'int')
  return isNumber ? simple.float : simple.any
}

/** A text that two guesses have in common exactly if they are the same type. */
export function keyOf(of: Guess): string {
  switch (of.kind) {
    case 'slice':
      return `[${keyOf(of.element)}]`
    case 'map':
      return `<${keyOf(of.key)},${keyOf(of.element)}>`
    case 'struct':
      return `{${[...of.fields].map(([name, field]) => `${JSON.stringify(name)}:${keyOf(field)}`).join()}}`
    default:
      return of.kind
  }
}

const basics: Readonly<Record<t.BasicKind | 'any', t.GobType>> = {
  bool: t.bool,
  int: t.int,
  uint: t.uint,
  float: t.float,
  complex: t.complex,
  string: t.string,
  bytes: t.bytes,
  any: t.any,
}

/** The type that was guessed. */
export function toType(of: Guess): t.GobType {
  switch (of.kind) {
    case 'slice':
      return t.slice(toType(of.element))
    case 'map':
      return t.map(toType(of.key), toType(of.element))
    case 'struct': {
      const fields = [...of.fields].map(([property, field]) => ({
        property,
        name: property,
        type: toType(field),
      }))
      return { kind: 'struct', name: '', fields } as t.StructType
    }
    case 'time':
      return time
    case 'nothing':
      return t.any
    default:
      return basics[of.kind]
  }
}
