import type { Call } from '../../core/call.ts'
import { markUnknownService, remoteError, type RpcError } from '../../core/error.ts'
import { unknownServiceText } from '../../core/router.ts'
import type { Capabilities } from '../protocol.ts'
import { formatGoDuration } from './duration.ts'

/** In what the Go systems differ: words, and where they begin to count. */
export interface Dialect {
  /** The protocol's name. */
  readonly name: string
  readonly firstSeq: number
  /** What every text of the server itself begins with. */
  readonly prefix: string
  /** What is named as not there: all of `Service.Method`, or only the part. */
  readonly names: 'whole' | 'part'
  /** Whether the original servers cannot go on after a call of a method that they do not have. */
  readonly losesPlace: boolean
}

/** What the sessions can do, in every dialect. */
export const goCapabilities: Capabilities = Object.freeze({
  streams: false,
  metadata: false,
  cancel: false,
  deadline: false,
  calls: 'many',
  needsService: true,
})

/** A name without a dot in the middle is of no service and no method. */
export function illFormedText(dialect: Dialect, name: string): string {
  return `${dialect.prefix}: service/method request ill-formed: ${name}`
}

/** What a peer is told of an error: the message; for what the Go servers say themselves, in their words. */
export function errorText(dialect: Dialect, call: Call, error: RpcError, handleTimeoutNs: number): string {
  // Not found before anything ran: it is the method that is not there, and not something that it looked for.
  if (error.code === 'not_found' && call.phase === 'read')
    return error.message.startsWith(unknownServiceText)
      ? noServiceText(dialect, call)
      : noMethodText(dialect, call)
  if (handleTimeoutNs > 0 && error === call.cancelled && error.code === 'deadline_exceeded')
    return timeoutText(dialect, handleTimeoutNs)
  return error.message
}

/**
 * The error that a text in a header stands for. What the Go servers say themselves has a code; all else is `unknown`.
 * The message is the text, as it came.
 */
export function errorOf(dialect: Dialect, call: Call, text: string): RpcError {
  const error = remoteError(codeOf(dialect, call, text), text, { phase: 'receive' })
  return text === noServiceText(dialect, call) ? markUnknownService(error) : error
}

function codeOf(dialect: Dialect, call: Call, text: string): string {
  if (!text.startsWith(dialect.prefix)) return 'unknown'
  if (text === noServiceText(dialect, call) || text === noMethodText(dialect, call)) return 'not_found'
  return text.startsWith(timeoutStart(dialect)) ? 'deadline_exceeded' : 'unknown'
}

function noServiceText(dialect: Dialect, call: Call): string {
  return `${dialect.prefix}: can't find service ${dialect.names === 'whole' ? call.name : call.service}`
}

function noMethodText(dialect: Dialect, call: Call): string {
  return `${dialect.prefix}: can't find method ${dialect.names === 'whole' ? call.name : call.method}`
}

function timeoutStart(dialect: Dialect): string {
  return `${dialect.prefix}: request handle timeout: expect within `
}

function timeoutText(dialect: Dialect, nanoseconds: number): string {
  return timeoutStart(dialect) + formatGoDuration(nanoseconds)
}
