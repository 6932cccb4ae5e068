import { RpcError } from '../../core/error.ts'
import { GobComplex } from './complex.ts'
import { type ConcreteType, type GobType, resolveType } from './types.ts'

/** What a field is that the bytes leave out: one value for all, or one to be made each time. */
export type Zero =
  | { readonly constant: false | 0 | '' | null; readonly make?: undefined; readonly cost: 0 }
  /** `cost` is how many fields and elements it has. */
  | { readonly make: () => unknown; readonly cost: number }

const zeros = new WeakMap<GobType, Zero>()
const nil: Zero = { constant: null, cost: 0 }

/**
 * Go's zero value of a type.
 * @throws RpcError `invalid_argument` for a struct that contains itself without a pointer, slice or map between.
 */
export function zeroOf(given: GobType, around: ReadonlySet<GobType> = new Set()): Zero {
  const known = zeros.get(given)
  if (known !== undefined) return known
  const { type, nilable } = resolveType(given)
  if (nilable) return nil
  if (around.has(type)) {
    const name = 'name' in type && type.name !== '' ? type.name : 'a struct'
    throw new RpcError(
      'invalid_argument',
      `${name} contains itself; use gob.pointer(gob.lazy(() => …)) there`,
    )
  }
  const zero = makeZero(type, new Set([...around, type]))
  zeros.set(given, zero)
  return zero
}

function makeZero(type: ConcreteType, around: ReadonlySet<GobType>): Zero {
  switch (type.kind) {
    case 'bool':
      return { constant: false, cost: 0 }
    case 'int':
    case 'uint':
    case 'float':
      return { constant: 0, cost: 0 }
    case 'string':
      return { constant: '', cost: 0 }
    case 'interface':
    case 'any':
      return nil
    case 'complex':
      return { make: () => new GobComplex(0, 0), cost: 1 }
    case 'bytes':
      return { make: () => new Uint8Array(0), cost: 1 }
    case 'slice':
      return { make: () => [], cost: 1 }
    case 'map':
      return { make: () => new Map(), cost: 1 }
    case 'opaque':
      return { make: () => type.options.zero(), cost: 1 }
    case 'array': {
      const element = zeroOf(type.element, around)
      const make = element.make ?? (() => element.constant)
      return { make: () => Array.from({ length: type.length }, make), cost: type.length * (1 + element.cost) }
    }
    case 'struct': {
      const parts = type.fields.map(({ property, type: part }) => ({ property, zero: zeroOf(part, around) }))
      const template = templateOf(parts)
      const made = parts.filter(({ zero }) => zero.make !== undefined)
      const make = () => {
        const object = { ...template }
        for (const { property, zero } of made) object[property] = zero.make?.()
        return object
      }
      return { make, cost: parts.reduce((sum, { zero }) => sum + 1 + zero.cost, 0) }
    }
  }
}

/**
 * An object with all properties of a struct, to be copied: so the names are own properties whatever they are, in order,
 * and all objects of the struct have one shape. What must be made is undefined in it.
 */
export function templateOf(
  parts: readonly { readonly property: string; readonly zero: Zero }[],
): Record<string, unknown> {
  const template: Record<string, unknown> = {}
  for (const { property, zero } of parts) {
    const value = zero.make === undefined ? zero.constant : undefined
    Object.defineProperty(template, property, { value, writable: true, enumerable: true, configurable: true })
  }
  return template
}

/** The zero of what comes without a description: null where the peer's own could not be told from nil. */
export function wireZero(kind: ConcreteType['kind']): Zero {
  switch (kind) {
    case 'bool':
      return { constant: false, cost: 0 }
    case 'int':
    case 'uint':
    case 'float':
      return { constant: 0, cost: 0 }
    case 'string':
      return { constant: '', cost: 0 }
    case 'complex':
      return { make: () => new GobComplex(0, 0), cost: 1 }
    case 'bytes':
      return { make: () => new Uint8Array(0), cost: 1 }
    case 'slice':
      return { make: () => [], cost: 1 }
    case 'map':
      return { make: () => new Map(), cost: 1 }
    default:
      // Go always sends structs and arrays, so one that is missing is a nil pointer.
      return nil
  }
}
