import { readParameterList, skip } from './params-scan.ts'

/** One parameter of a function, as far as it can be known at run time. */
export interface Parameter {
  /** Undefined where there is none: a pattern that takes its argument apart. */
  readonly name: string | undefined
  /** Whether it may be left out. */
  readonly optional: boolean
  /** Whether it takes all the arguments that are left. */
  readonly rest: boolean
  /** The default as it is written, if that is a short literal. */
  readonly defaultText?: string
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/u
// Only these are shown to others: an expression may say more of the program than its author means to tell.
const literal = /^(?:-?[\d._]+n?|'[^'\\]{0,24}'|"[^"\\]{0,24}"|true|false|null|\[\s*\]|\{\s*\})$/

/**
 * The parameters of a function, read from its source; undefined where that cannot be read with certainty (a native or
 * bound function, a proxy). TypeScript's `b?: T` leaves no trace in what runs, so it is not seen as optional: only a
 * default is.
 */
export function readParameters(fn: (...args: never[]) => unknown): readonly Parameter[] | undefined {
  const texts = readParameterList(Function.prototype.toString.call(fn))
  const parameters = texts?.map(readParameter)
  if (parameters === undefined || parameters.includes(undefined)) return undefined
  const known = parameters as readonly Parameter[]
  // The engine knows how many come before the first default: what disagrees with it was misread.
  return countRequired(known) === fn.length ? known : undefined
}

/** How many parameters lead the list that cannot be left out. */
export function countRequired(parameters: readonly Parameter[]): number {
  const first = parameters.findIndex(({ optional }) => optional)
  return first === -1 ? parameters.length : first
}

/** A parameter list as people write it: `(a, b, c=10)`. */
export function formatParameters(parameters: readonly Parameter[] | undefined): string {
  return parameters === undefined ? '(…)' : `(${parameters.map(formatParameter).join(', ')})`
}

function formatParameter(parameter: Parameter): string {
  const name = parameter.name ?? '{…}'
  if (parameter.rest) return `...${name}`
  if (parameter.defaultText !== undefined) return `${name}=${parameter.defaultText}`
  return parameter.optional ? `${name}?` : name
}

function readParameter(text: string): Parameter | undefined {
  const rest = text.startsWith('...')
  const bare = rest ? text.slice(3).trimStart() : text
  const name = identifier.exec(bare)?.[0]
  if (name === undefined) {
    const end = /^[[{]/.test(bare) ? skip(bare, 0, '') : undefined
    if (end === undefined) return undefined
    return { name: undefined, optional: rest || bare.slice(end).trim().startsWith('='), rest }
  }
  const after = bare.slice(name.length).trim()
  if (after === '') return { name, optional: rest, rest }
  if (!after.startsWith('=') || rest) return undefined
  const value = after.slice(1).trim()
  return { name, optional: true, rest, ...(literal.test(value) && { defaultText: value }) }
}
