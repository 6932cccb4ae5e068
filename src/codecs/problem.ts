import type { ErrorCode } from '../core/code.ts'
import { RpcError } from '../core/error.ts'

/**
 * What is wrong with a value, on its way out of the depth where it was found. Each container that it leaves adds its
 * step, so that the path costs nothing while all goes well.
 */
export class Problem extends Error {
  readonly code: ErrorCode
  /** From the inside to the outside. */
  readonly steps: string[] = []

  constructor(text: string, code: ErrorCode = 'invalid_argument', cause?: unknown) {
    super(text, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** The problem that was thrown, one step further out. What user code threw (a getter) becomes a problem too. */
export function inside(thrown: unknown, step: string): Problem {
  const problem = asProblem(thrown)
  problem.steps.push(step)
  return problem
}

/** Anything thrown as a problem. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  const error = RpcError.from(thrown, 'invalid_argument')
  return new Problem(`cannot be handled: ${error.message}`, error.code, thrown)
}

/** The step to a property. */
export function property(name: string): string {
  return /^[A-Za-z_$][\w$]{0,63}$/.test(name) ? `.${name}` : `[${shown(name)}]`
}

/** The step to the value of a map's key. */
export function entry(key: unknown, index: number): string {
  const isShort = typeof key === 'string' || typeof key === 'number'
  return isShort ? `.get(${shown(key)})` : `.values()[${index}]`
}

/** What the caller is told: `prefix` says what was being done. */
export function explain(thrown: unknown, prefix: string): RpcError {
  const problem = asProblem(thrown)
  const path = `$${problem.steps.toReversed().join('')}`
  const short = path.length <= 300 ? path : `${path.slice(0, 140)}…${path.slice(-140)}`
  const options = problem.cause === undefined ? {} : { cause: problem.cause }
  return new RpcError(problem.code, `${prefix} at ${short} ${problem.message}`, options)
}

/** A value, or its kind, for a message: short whatever it is. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return shown(value)
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'bigint': {
      const text = String(value)
      return text.length <= 40 ? text : `an integer of ${text.length} digits`
    }
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value)
        ? 'an array'
        : `of kind ${Object.prototype.toString.call(value).slice(8, -1)}`
  }
}

function shown(text: string | number): string {
  return JSON.stringify(typeof text === 'string' && text.length > 64 ? `${text.slice(0, 64)}…` : text)
}
