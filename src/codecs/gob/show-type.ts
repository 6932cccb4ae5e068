import type { AnyGobType, GobType } from './types.ts'

// What is inside a struct inside a struct says more than it helps.
const depth = 2

/**
 * A type as Go would write it, for people: `Args{Num1 int, Num2 int}`. A struct within a struct is shown by its name, where
 * it has one.
 */
export function showType(type: GobType): string {
  return show(type as AnyGobType, depth)
}

function show(type: AnyGobType, left: number): string {
  const inner = (part: GobType) => show(part as AnyGobType, left - 1)
  switch (type.kind) {
    case 'bool':
    case 'string':
      return type.kind
    case 'int':
    case 'uint':
      return type.wide === true ? `${type.kind}64` : type.kind
    case 'float':
      return 'float64'
    case 'complex':
      return 'complex128'
    case 'bytes':
      return '[]byte'
    case 'any':
    case 'interface':
      return 'any'
    case 'slice':
      return `[]${inner(type.element)}`
    case 'array':
      return `[${type.length}]${inner(type.element)}`
    case 'map':
      return `map[${inner(type.key)}]${inner(type.element)}`
    case 'pointer':
      return `*${show(type.element as AnyGobType, left)}`
    case 'opaque':
      return type.name
    // It may contain itself.
    case 'lazy':
      return left > 0 ? show(type.resolve() as AnyGobType, left - 1) : '…'
    case 'struct': {
      if (left < depth && type.name !== '') return type.name
      if (left <= 0) return 'struct{…}'
      const fields = type.fields.map(({ name, type: of }) => `${name} ${inner(of)}`)
      return `${type.name || 'struct'}{${fields.join(', ')}}`
    }
  }
}
