import type { Call } from '../../core/call.ts'
import { checkMetadata } from '../../core/metadata.ts'
import type { Limits } from '../../core/limits.ts'
import type { HttpFields } from '../http-route.ts'
import { metadataPrefixes, writeMetadata } from './metadata-fields.ts'
import { HttpProblem } from './problem.ts'

/** What the fields of a request say of the call. SPEC.md explains each. */
export const callFields = {
  timeout: 'farcall-timeout-ms',
  beginTimeout: 'farcall-begin-timeout-ms',
  key: 'farcall-key',
  attempt: 'farcall-attempt',
  oneway: 'farcall-oneway',
  arguments: 'farcall-arguments',
  notExecuted: 'farcall-not-executed',
} as const

/** The same, read. */
export interface CallHead {
  readonly timeoutMs: number | undefined
  /** The time bounds a stream to its end. */
  readonly bounded: boolean
  readonly key: string | undefined
  readonly attempt: number
  readonly oneway: boolean
  /** An object holds the arguments by name, whatever the method takes. */
  readonly named: boolean
}

/** @throws HttpProblem 400 for a field that makes no sense. */
export function readCallFields(fields: HttpFields): CallHead {
  const whole = readNumber(fields, callFields.timeout)
  const begin = readNumber(fields, callFields.beginTimeout)
  return {
    timeoutMs: whole ?? begin,
    bounded: whole !== undefined,
    key: fields.get(callFields.key),
    attempt: readNumber(fields, callFields.attempt) ?? 1,
    oneway: readWord(fields, callFields.oneway, 'true'),
    named: readWord(fields, callFields.arguments, 'named'),
  }
}

/** @throws RpcError for metadata that the limits do not allow, or a key that cannot be a field. */
export function* writeCallFields(call: Call, limits: Limits): Generator<readonly [string, string]> {
  if (call.deadline !== Number.POSITIVE_INFINITY) {
    const name = call.bounded ? callFields.timeout : callFields.beginTimeout
    yield [name, String(Math.ceil(call.remainingMs()))]
  }
  if (call.attempt > 1) yield [callFields.attempt, String(call.attempt)]
  if (call.key !== undefined && /^[!-~](?:[ -~]*[!-~])?$/.test(call.key)) yield [callFields.key, call.key]
  if (call.oneway) yield [callFields.oneway, 'true']
  const metadata = call.givenMetadata
  if (metadata === undefined) return
  checkMetadata(metadata, limits)
  yield* writeMetadata(metadata, metadataPrefixes.head)
}

function readNumber(fields: HttpFields, name: string): number | undefined {
  const value = fields.get(name)
  if (value === undefined) return undefined
  if (/^\d{1,12}$/.test(value)) return Number(value)
  throw new HttpProblem(400, `the field '${name}' should be a whole number`)
}

function readWord(fields: HttpFields, name: string, word: string): boolean {
  const value = fields.get(name)
  if (value === undefined) return false
  if (value === word) return true
  throw new HttpProblem(400, `the field '${name}' can only be '${word}'`)
}
