import type { StandardSchemaV1 } from '@standard-schema/spec'
import { RpcError } from './error.ts'

/** A schema of any library that implements Standard Schema: zod, valibot, arktype and others. */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>

/** One thing that a schema found wrong, as it travels in the details of an error. */
export interface SchemaIssue {
  /** Where in the value: `items[2].name`; empty for the value itself. */
  readonly path: string
  readonly message: string
}

type Result = StandardSchemaV1.Result<unknown>

const maxIssues = 10
const maxMessageLength = 200
const maxPathLength = 20

/** Whether a value is a schema. Some libraries' schemas are functions. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const standard = (value as Partial<Schema>)['~standard']
  return typeof standard === 'object' && typeof standard.validate === 'function'
}

/** Asks a schema; the answer comes as a promise only from a schema that is asynchronous. */
export function validate(schema: Schema, value: unknown): Result | Promise<Result> {
  return schema['~standard'].validate(value)
}

/** What is wrong, bounded: a peer chooses the value, so it must not choose how long the error is. */
export function readIssues(issues: readonly StandardSchemaV1.Issue[]): readonly SchemaIssue[] {
  return issues
    .slice(0, maxIssues)
    .map(({ path, message }) => ({ path: formatPath(path ?? []), message: shorten(message) }))
}

/** The error for a value that its schema refuses; `what` names the value: `math.divide: argument 'b'`. */
export function schemaError(what: string, issues: readonly StandardSchemaV1.Issue[]): RpcError {
  const read = readIssues(issues)
  const [first] = read
  const where = first === undefined || first.path === '' ? '' : ` at ${first.path}`
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  const why = first?.message ?? 'it does not fit its schema'
  return new RpcError('invalid_argument', `${what}${where}: ${why}${more}`, { details: { issues: read } })
}

function formatPath(path: readonly (PropertyKey | StandardSchemaV1.PathSegment)[]): string {
  let text = ''
  for (const segment of path.slice(0, maxPathLength)) {
    const key = typeof segment === 'object' ? segment.key : segment
    if (typeof key === 'number') text += `[${key}]`
    else text += text === '' ? String(key) : `.${String(key)}`
  }
  return shorten(text)
}

function shorten(text: string): string {
  return text.length > maxMessageLength ? `${text.slice(0, maxMessageLength)}…` : text
}
