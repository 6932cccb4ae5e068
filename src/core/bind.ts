import type { Arguments } from './call.ts'
import { RpcError } from './error.ts'
import type { Method } from './method.ts'
import { listNames, showName } from './names.ts'

/**
 * Puts the arguments of a call into the order of a method's parameters: by position, by name, both (by Python's
 * rules), or a single message that stands for all. What is left out at the end is left out of the result too, so that
 * the function's own defaults count; what is left out before that is `undefined`, which means the same.
 * @throws RpcError `invalid_argument` that says which argument is missing, unknown, given twice or too many.
 */
export function bind(method: Method, args: Arguments): readonly unknown[] {
  if (args.message === true) return bindMessage(method, args.list, args.typed === true)
  if (args.named !== undefined && args.named.size > 0) return bindNamed(method, args.list, args.named)
  return bindList(method, args.list)
}

/** How an error names an argument: `'b'`, or by its position where it has no name. */
export function showArgument(method: Method, at: number): string {
  const parameters = method.parameters
  const name =
    parameters?.[at]?.name ?? (parameters?.at(-1)?.rest === true ? parameters.at(-1)?.name : undefined)
  return name === undefined ? String(at + 1) : `'${name}'`
}

function bindList(method: Method, list: readonly unknown[]): readonly unknown[] {
  if (list.length > method.maximum) throw surplus(method, list.length)
  if (list.length < method.minimum) {
    throw missing(
      method,
      Array.from({ length: method.minimum - list.length }, (_, at) => list.length + at),
    )
  }
  return list
}

function bindNamed(
  method: Method,
  list: readonly unknown[],
  named: ReadonlyMap<string, unknown>,
): readonly unknown[] {
  const { indexes, minimum } = method
  if (list.length > method.maximum) throw surplus(method, list.length)
  if (indexes === undefined) {
    throw refused(
      method,
      "takes no arguments by name, because the names of its parameters are not known; give them by position, or declare them on the server: method({ params: ['…'] }, …)",
    )
  }
  const bound = [...list]
  // Which are there is noted apart: undefined may be given on purpose.
  const given = new Set<number>(list.keys())
  for (const [name, value] of named) {
    const at = indexes.get(name)
    if (at === undefined) throw unknownName(method, name, indexes)
    if (at < list.length) throw refused(method, `got argument '${name}' twice: by position and by name`)
    while (bound.length < at) bound.push(undefined)
    bound[at] = value
    given.add(at)
  }
  const lacking: number[] = []
  for (let at = 0; at < minimum; at++) if (!given.has(at)) lacking.push(at)
  if (lacking.length > 0) throw missing(method, lacking)
  return bound
}

function bindMessage(method: Method, list: readonly unknown[], typed: boolean): readonly unknown[] {
  const message = list[0]
  if (list.length !== 1 || !isRecord(message)) {
    // A peer of a protocol that always sends a message has no other way to say "nothing".
    return bindList(method, method.maximum === 0 && (message === null || message === undefined) ? [] : list)
  }
  const keys = Object.keys(message)
  const isWhole = method.parameters?.length === 1 && !(typed && keys.some((key) => method.indexes?.has(key)))
  if (isWhole) return bindList(method, list)
  if (method.maximum === 0 && keys.length === 0) return []
  if (method.indexes === undefined) {
    throw refused(
      method,
      "takes several arguments, and a message cannot be spread over them, because the names of its parameters are not known; declare them on the server: method({ params: ['…'] }, …)",
    )
  }
  return bindNamed(method, [], new Map(keys.map((key) => [key, message[key]])))
}

// Only own keys are ever read of it, so it does not matter what it inherits.
function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function refused(method: Method, why: string): RpcError {
  return new RpcError('invalid_argument', `${method.fullName} ${why}`)
}

function surplus(method: Method, count: number): RpcError {
  const { maximum, version } = method
  const server =
    version === undefined
      ? 'the server'
      : `the server (${method.fullName.slice(0, -method.name.length - 1)} ${version})`
  const most =
    maximum === 0 ? 'takes no arguments' : `takes at most ${maximum} argument${maximum === 1 ? '' : 's'}`
  return refused(method, `${most}, got ${count}; is ${server} older than the caller?`)
}

function missing(method: Method, at: readonly number[]): RpcError {
  const names = at.map((index) => showArgument(method, index))
  return refused(method, `is missing argument${at.length === 1 ? '' : 's'} ${listNames(names)}`)
}

function unknownName(method: Method, name: string, indexes: ReadonlyMap<string, number>): RpcError {
  const takes = indexes.size === 0 ? 'it takes none' : `it takes ${listNames([...indexes.keys()])}`
  return refused(method, `has no parameter ${showName(name)}; ${takes}`)
}
