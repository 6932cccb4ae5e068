import { showArgument } from './bind.ts'
import { mapStream } from './map-stream.ts'
import type { Method } from './method.ts'
import { readIssues, type Schema, schemaError, validate } from './schema.ts'
import { isStream } from './stream.ts'

type List = readonly unknown[]
type Issues = Parameters<typeof schemaError>[1]
type Wrong = (issues: Issues) => Error

/**
 * The arguments as their schemas make them: at once, unless a schema is asynchronous. Of a stream each item is checked
 * when it is taken.
 * @throws RpcError `invalid_argument` that names the argument, the place in it, and what the schema says.
 */
export function validateInput(method: Method, args: List): List | Promise<List> {
  const schemas = method.input
  if (schemas === undefined) return args
  const length = Math.max(args.length, schemas.findLastIndex((schema) => schema !== undefined) + 1)
  const checked: unknown[] = [...args]
  let waiting: Promise<void>[] | undefined
  for (let at = 0; at < length; at++) {
    const schema = at < schemas.length ? schemas[at] : restSchema(method)
    if (schema === undefined) continue
    // A rest parameter that got nothing has nothing to be checked.
    if (at >= args.length && method.parameters?.[at]?.rest === true) continue
    while (checked.length < at) checked.push(undefined)
    const given = at < args.length
    const result = validateValue(schema, args[at], (issues) =>
      schemaError(describe(method, at, given), issues),
    )
    if (result instanceof Promise) {
      waiting ??= []
      const settled = result.then((value) => void (checked[at] = value))
      // A later argument may be refused at once; then nobody waits for this one.
      settled.catch(() => {})
      waiting.push(settled)
    } else checked[at] = result
  }
  return waiting === undefined ? checked : Promise.all(waiting).then(() => checked)
}

/**
 * A result as its schema makes it; of a stream each item is checked when it is taken. A result that does not fit is
 * the server's own mistake: it is thrown as an ordinary error, so that nothing of it leaves the process.
 */
export function validateOutput(method: Method, schema: Schema, result: unknown): unknown {
  return validateValue(schema, result, (issues) => badResult(method, issues))
}

/**
 * The details of a declared error as their schema makes them.
 * @throws Error where they do not fit.
 */
export function validateDetails(method: Method, reason: string, details: unknown): unknown {
  const schema = method.errors?.get(reason)?.details
  if (schema === undefined) return details
  return validateValue(schema, details, (issues) =>
    misfit(`${method.fullName}: the details of error '${reason}'`, issues),
  )
}

function validateValue(schema: Schema, value: unknown, wrong: Wrong): unknown {
  if (isStream(value)) return mapStream(value, (item) => validateValue(schema, item, wrong))
  const result = validate(schema, value)
  if (result instanceof Promise) return result.then((settled) => unwrap(settled, wrong))
  return unwrap(result, wrong)
}

function unwrap(result: Awaited<ReturnType<typeof validate>>, wrong: Wrong): unknown {
  if (result.issues !== undefined) throw wrong(result.issues)
  return result.value
}

function restSchema(method: Method): Schema | undefined {
  return method.parameters?.at(-1)?.rest === true ? method.input?.at(-1) : undefined
}

function describe(method: Method, at: number, given: boolean): string {
  const which = showArgument(method, at)
  return given ? `${method.fullName}: argument ${which}` : `${method.fullName}: missing argument ${which}`
}

function badResult(method: Method, issues: Issues): Error {
  return misfit(`${method.fullName}: the result`, issues)
}

function misfit(what: string, issues: Issues): Error {
  const [first] = readIssues(issues)
  const where = first === undefined || first.path === '' ? '' : ` at ${first.path}`
  return new TypeError(`${what} does not fit its schema${where}: ${first?.message ?? 'no reason is given'}`)
}
