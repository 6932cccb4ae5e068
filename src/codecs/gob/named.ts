import type { GobType } from './types.ts'

/**
 * What an interface holds: a value, and the name under which its type is registered. Decoded interfaces are of this
 * class; to encode one, any object with `name` and `value` does.
 */
export class GobNamed<N extends string = string, V = unknown> {
  readonly name: N
  readonly value: V
  /** How to encode the value; not needed where the interface's own table says it. */
  declare readonly type?: GobType<V>

  constructor(name: N, value: V, type?: GobType<V>) {
    this.name = name
    this.value = value
    // Not enumerable: two that hold the same are the same, whichever way they came about.
    if (type !== undefined) Object.defineProperty(this, 'type', { value: type })
  }
}
