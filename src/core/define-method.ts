import { RpcError } from './error.ts'
import {
  type ErrorDeclaration,
  isMethodDefinition,
  type AnyFunction,
  type Method,
  type MethodOptions,
} from './method.ts'
import type { MethodInfo } from './method-info.ts'
import { checkMethodName, showName } from './names.ts'
import { countRequired, type Parameter, readParameters } from './params.ts'
import { isSchema, type Schema } from './schema.ts'
import { isErrorCode } from './code.ts'

/** What a method is defined from. */
export interface MethodSource {
  readonly service: string
  readonly version: string | undefined
  readonly name: string
  /** A function or a `method()`; anything else is refused. */
  readonly member: unknown
  /** What the function finds as its `this`. */
  readonly self: object
}

/**
 * Finds out once all that is to be known of a method.
 * @throws RpcError `invalid_argument` that names the method, what is wrong with it, and what to do.
 */
export function defineMethod(source: MethodSource): Method {
  const { service, name, member } = source
  checkMethodName(service, name)
  const fullName = `${service}.${name}`
  const fail = (why: string) => new RpcError('invalid_argument', `${fullName}: ${why}`)
  const options: MethodOptions = isMethodDefinition(member) ? member.options : {}
  const fn = isMethodDefinition(member) ? member.fn : member
  checkFunction(fn, fail)
  checkOptions(options, fail)
  const parameters = findParameters(fn, options, fail)
  const input = readInput(options.input, parameters, fail)
  return Object.freeze({
    name,
    fullName,
    version: source.version,
    fn: fn.bind(source.self) as Method['fn'],
    info: readInfo(fn, options, parameters),
    parameters,
    indexes: indexNames(parameters),
    minimum: findMinimum(parameters, fn.length, input),
    maximum: findMaximum(parameters),
    input,
    output: options.output,
    errors: readErrors(options.errors, fail),
    timeoutMs: options.timeoutMs,
    context: options.context ?? true,
    doc: options.doc,
  })
}

type Fail = (why: string) => RpcError

function checkFunction(fn: unknown, fail: Fail): asserts fn is AnyFunction {
  if (typeof fn !== 'function') {
    throw fail(
      `a method must be a function, this is ${describeKind(fn)}; keep what is not to be called out of the service`,
    )
  }
  if (/^class\b/.test(Function.prototype.toString.call(fn))) {
    throw fail('this is a class; give an instance of it to service(), with the names of its methods')
  }
}

const known: ReadonlySet<string> = new Set<keyof MethodOptions>([
  'params',
  'input',
  'output',
  'errors',
  'idempotent',
  'timeoutMs',
  'context',
  'streams',
  'types',
  'doc',
])

function checkOptions(options: MethodOptions, fail: Fail): void {
  const { timeoutMs, output, streams } = options
  for (const name of Object.keys(options)) {
    if (!known.has(name)) throw fail(`unknown option ${showName(name)}; known are ${[...known].join(', ')}`)
  }
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs > 0)) {
    throw fail(`timeoutMs must be a positive number of milliseconds, got ${String(timeoutMs)}`)
  }
  if (output !== undefined && !isSchema(output)) {
    throw fail('output must be a schema of a library that implements Standard Schema')
  }
  if (streams !== undefined && !['input', 'output', 'both'].includes(streams)) {
    throw fail(`streams must be 'input', 'output' or 'both', got ${showName(String(streams))}`)
  }
}

function findParameters(
  fn: AnyFunction,
  options: MethodOptions,
  fail: Fail,
): readonly Parameter[] | undefined {
  const read = readParameters(fn)
  if (options.params !== undefined)
    return declareParameters(options.params, { read, length: fn.length }, fail)
  if (read !== undefined || options.input === undefined) return read
  // Nothing can be read, but there is one schema for each parameter.
  return options.input.map((_, at) => ({ name: undefined, optional: at >= fn.length, rest: false }))
}

interface Readable {
  readonly read: readonly Parameter[] | undefined
  readonly length: number
}

// Declared names replace those that were read; whether one is optional, and its default, is still read.
function declareParameters(
  declared: readonly string[],
  { read, length }: Readable,
  fail: Fail,
): readonly Parameter[] {
  if (!Array.isArray(declared)) throw fail('params must be a list of names')
  const rest = read?.at(-1)?.rest === true
  const fixed = rest ? read.slice(0, -1) : read
  const count = fixed?.length ?? length
  const tooMany = fixed !== undefined && !rest && declared.length > count
  if (declared.length < count || tooMany) {
    throw fail(
      `params names ${declared.length} parameters, but the function has ${rest ? 'at least ' : ''}${count}`,
    )
  }
  const found = declared.map((text, at): Parameter => {
    const { name, optional } = readDeclared(text, fail)
    const own = fixed?.[at]
    return { ...own, name, optional: optional || (own?.optional ?? at >= length), rest: false }
  })
  const names = found.map(({ name }) => name)
  const doubled = names.find((name, at) => names.indexOf(name) !== at)
  if (doubled !== undefined) throw fail(`params names ${showName(doubled)} twice`)
  return rest ? [...found, read.at(-1) as Parameter] : found
}

function readDeclared(text: unknown, fail: Fail): { name: string; optional: boolean } {
  const match = typeof text === 'string' ? /^([\p{L}_$][\p{L}\p{N}\p{M}_$-]*)(\?)?$/u.exec(text) : null
  if (match === null || match[1] === '__proto__') {
    throw fail(
      `${showName(String(text))} in params is no name of a parameter; write 'a', or 'a?' for one that may be left out`,
    )
  }
  return { name: match[1] as string, optional: match[2] !== undefined }
}

function readInput(
  input: unknown,
  parameters: readonly Parameter[] | undefined,
  fail: Fail,
): Method['input'] {
  if (input === undefined) return undefined
  if (!Array.isArray(input)) throw fail('input must be a list of schemas, one for each parameter')
  const count = parameters?.length ?? input.length
  if (input.length !== count) {
    throw fail(
      `input has ${input.length} schemas, but the function has ${count} parameters; put undefined for one that is not checked`,
    )
  }
  const wrong = input.findIndex((schema) => schema !== undefined && !isSchema(schema))
  if (wrong !== -1) {
    const name = parameters?.[wrong]?.name ?? wrong + 1
    throw fail(`input for parameter ${name} is no schema of a library that implements Standard Schema`)
  }
  return Object.freeze([...(input as (Schema | undefined)[])])
}

function readErrors(errors: MethodOptions['errors'], fail: Fail): Method['errors'] {
  if (errors === undefined) return undefined
  const found = new Map<string, ErrorDeclaration>()
  for (const [reason, declaration] of Object.entries(errors)) {
    if (reason === '') throw fail('an error in errors has an empty reason; name it')
    if (!isErrorCode(declaration?.code))
      throw fail(`error ${showName(reason)} needs one of the sixteen codes, such as 'invalid_argument'`)
    if (declaration.details !== undefined && !isSchema(declaration.details)) {
      throw fail(
        `details of error ${showName(reason)} is no schema of a library that implements Standard Schema`,
      )
    }
    found.set(reason, declaration)
  }
  return found
}

function readInfo(
  fn: AnyFunction,
  options: MethodOptions,
  parameters: readonly Parameter[] | undefined,
): MethodInfo {
  const params = parameters?.map(({ name }) => name)
  const streams = options.streams
  const generates = Object.prototype.toString.call(fn) === '[object AsyncGeneratorFunction]'
  return Object.freeze({
    ...(params?.every((name) => name !== undefined) && { params: Object.freeze(params) }),
    idempotent: options.idempotent ?? false,
    input: streams === 'input' || streams === 'both' ? 'stream' : 'values',
    output: streams === 'output' || streams === 'both' || generates ? 'stream' : 'value',
    ...(options.types !== undefined && { types: options.types }),
  })
}

// What a rest parameter takes has no names of its own.
function indexNames(parameters: readonly Parameter[] | undefined): Method['indexes'] {
  const fixed = parameters?.filter(({ rest }) => !rest)
  if (fixed === undefined || fixed.some(({ name }) => name === undefined)) return undefined
  return new Map(fixed.map(({ name }, at) => [name as string, at]))
}

// Whether one that has a schema may be missing is for the schema to say.
function findMinimum(
  parameters: readonly Parameter[] | undefined,
  length: number,
  input: Method['input'],
): number {
  let minimum = parameters === undefined ? length : countRequired(parameters)
  while (minimum > 0 && input?.[minimum - 1] !== undefined) minimum--
  return minimum
}

function findMaximum(parameters: readonly Parameter[] | undefined): number {
  if (parameters === undefined || parameters.at(-1)?.rest === true) return Number.POSITIVE_INFINITY
  return parameters.length
}

function describeKind(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return value === undefined ? 'undefined' : `a ${typeof value}`
}
