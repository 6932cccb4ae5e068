import { errorFields } from './error-value.ts'
import { RpcError } from './error.ts'
import { builtInName, isAsyncIterable, isThenable, sendableKind } from './sendable.ts'

/** Thrown by an encoder at what cannot travel; {@link explainFailure} then finds out where that was. */
export const unsendable: RpcError = new RpcError('invalid_argument', 'the value cannot travel')

/** What the caller of a codec is told when encoding a value failed. */
export function explainFailure(thrown: unknown, value: unknown, maxDepth: number): RpcError {
  if (thrown !== unsendable && RpcError.is(thrown)) return thrown
  const explained = explainUnsendable(value, maxDepth)
  if (explained !== undefined) return explained
  if (thrown !== unsendable) return RpcError.from(thrown, 'invalid_argument')
  return new RpcError('invalid_argument', 'the value changed while it was being encoded')
}

/**
 * Finds what in a value cannot travel and where: the slow walk that a codec makes after its fast encoder has failed,
 * so that success pays nothing for the path. Undefined where it finds nothing wrong.
 */
export function explainUnsendable(value: unknown, maxDepth: number): RpcError | undefined {
  const walk = new Walk(maxDepth)
  let problem: string | undefined
  try {
    problem = walk.visit(value)
  } catch (thrown) {
    problem = `cannot be read: ${RpcError.from(thrown).message}`
  }
  if (problem === undefined) return undefined
  return new RpcError('invalid_argument', `the value at ${walk.path} ${problem}`)
}

/** A depth-first walk in the order in which codecs encode; at a problem it stops with the path standing at it. */
class Walk {
  readonly #maxDepth: number
  readonly #steps: string[] = []
  /** The containers around the current value, each with the number of steps to it. */
  readonly #around = new Map<object, number>()

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth
  }

  get path(): string {
    return this.#pathOf(this.#steps.length)
  }

  visit(value: unknown): string | undefined {
    if (typeof value === 'function') return 'is a function, which cannot travel'
    if (typeof value === 'symbol') return 'is a symbol, which cannot travel'
    if (typeof value !== 'object' || value === null) return undefined
    const depth = this.#around.get(value)
    if (depth !== undefined) return `refers back to ${this.#pathOf(depth)}, and a cycle cannot travel`
    const kind = sendableKind(value)
    if (kind === 'unsendable') return describe(value)
    if (kind === 'date')
      return Number.isNaN((value as Date).getTime()) ? 'is an invalid Date, which cannot travel' : undefined
    if (kind === 'bytes' || kind === 'boxed') return undefined
    if (this.#around.size >= this.#maxDepth) return `is nested deeper than ${this.#maxDepth} levels`
    this.#around.set(value, this.#steps.length)
    const problem =
      kind === 'json'
        ? this.#visitJson(value as { toJSON(key: string): unknown })
        : this.#visitItems(value, kind)
    if (problem === undefined) this.#around.delete(value)
    return problem
  }

  #visitJson(value: { toJSON(key: string): unknown }): string | undefined {
    this.#steps.push('.toJSON()')
    const json = value.toJSON('')
    // As in JSON, what comes out is not asked again.
    const again = typeof json === 'object' && json !== null && sendableKind(json) === 'json'
    const problem = again ? this.#visitItems(json, 'object') : this.visit(json)
    if (problem === undefined) this.#steps.pop()
    return problem
  }

  #visitItems(value: object, kind: 'array' | 'object' | 'map' | 'set' | 'error'): string | undefined {
    for (const [step, item] of itemsOf(value, kind)) {
      this.#steps.push(step)
      const problem = this.visit(typeof item === 'function' && kind === 'object' ? item() : item)
      if (problem !== undefined) return problem
      this.#steps.pop()
    }
    return undefined
  }

  #pathOf(steps: number): string {
    const path = `$${this.#steps.slice(0, steps).join('')}`
    return path.length <= 300 ? path : `${path.slice(0, 140)}…${path.slice(-140)}`
  }
}

function* itemsOf(
  value: object,
  kind: 'array' | 'object' | 'map' | 'set' | 'error',
): Iterable<[string, unknown]> {
  switch (kind) {
    case 'array': {
      const list = value as readonly unknown[]
      for (let i = 0; i < list.length; i++) yield [`[${i}]`, list[i]]
      return
    }
    case 'object':
      // Read by the walk, once the path points at it: a getter may throw.
      for (const key of Object.keys(value))
        yield [property(key), () => (value as Record<string, unknown>)[key]]
      return
    case 'map': {
      let i = 0
      for (const [key, item] of value as ReadonlyMap<unknown, unknown>) {
        yield [`.keys()[${i}]`, key]
        yield [
          typeof key === 'string' || typeof key === 'number' ? `.get(${shown(key)})` : `.values()[${i}]`,
          item,
        ]
        i++
      }
      return
    }
    case 'set': {
      let i = 0
      for (const item of value as ReadonlySet<unknown>) yield [`.values()[${i++}]`, item]
      return
    }
    case 'error':
      for (const [name, item] of errorFields(value as Error)) yield [`.${name}`, item]
      return
  }
}

function property(key: string): string {
  return /^[A-Za-z_$][\w$]{0,63}$/.test(key) ? `.${key}` : `[${shown(key)}]`
}

function shown(key: string | number): string {
  return JSON.stringify(typeof key === 'string' && key.length > 64 ? `${key.slice(0, 64)}…` : key)
}

function describe(value: object): string {
  const name = builtInName(value)
  if (name === 'Promise' || isThenable(value))
    return 'is a promise, which cannot travel: was an await forgotten?'
  if (isAsyncIterable(value)) {
    return 'is a stream, which can travel only as a whole argument or as the whole result'
  }
  if (name === 'ArrayBuffer' || name === 'SharedArrayBuffer') {
    return `is ${article(name)}, which cannot travel: send new Uint8Array(x)`
  }
  if (ArrayBuffer.isView(value)) {
    return `is ${article(name ?? 'view')}, which cannot travel: send new Uint8Array(x.buffer, x.byteOffset, x.byteLength)`
  }
  if (name === 'Generator' || name?.endsWith(' Iterator') === true) {
    return `is ${article(name)}, which cannot travel: send [...x]`
  }
  return `is ${article(name ?? 'object of a kind')}, which cannot travel`
}

function article(name: string): string {
  return `${/^[AEIOU]/i.test(name) && !name.startsWith('U') ? 'an' : 'a'} ${name}`
}
