import { RpcError } from '../node.ts'
import { exitCodeOf } from './exit-codes.ts'
import { type Asked, nextStep } from './next-step.ts'
import { harmless, paint } from './output/style.ts'
import { UsageError } from './usage-error.ts'

/** How an error is to be told. */
export interface ReportOptions extends Asked {
  /** As a line of JSON. */
  readonly json?: boolean
  /** With the stack, for who looks into the inside of things. */
  readonly debug?: boolean
}

/** Tells an error on stderr, with what to do next, and gives the exit code. */
export function report(thrown: unknown, options: ReportOptions = {}): number {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const next =
    thrown instanceof UsageError ? thrown.next : RpcError.is(thrown) ? nextStep(thrown, options) : undefined
  if (options.json === true) console.error(asJson(error, next))
  else {
    console.error(`${paint('red', 'error:', process.stderr)} ${harmless(error.message)}`)
    if (RpcError.is(thrown) && thrown.reason !== undefined) note('reason', thrown.reason)
    if (RpcError.is(thrown) && thrown.details !== undefined) note('details', safely(thrown.details))
    if (next !== undefined) note('next', next)
  }
  if (options.debug === true) console.error(stacks(error))
  return exitCodeOf(thrown)
}

function note(name: string, text: string): void {
  console.error(`${paint('dim', ` ${name}:`.padStart(6), process.stderr)} ${harmless(text)}`)
}

function asJson(error: Error, next: string | undefined): string {
  const told = RpcError.is(error)
    ? error.toJSON()
    : { code: error instanceof UsageError ? 'usage' : 'internal', message: error.message }
  return safely({ error: { ...told, ...(next !== undefined && { next }) } })
}

// JSON, also of what it has not: an error about an error helps nobody.
function safely(value: unknown): string {
  try {
    return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : one))
  } catch {
    return String(value)
  }
}

function stacks(error: Error): string {
  const { cause } = error
  const own = error.stack ?? error.message
  return cause instanceof Error ? `${own}\ncaused by ${stacks(cause)}` : own
}
