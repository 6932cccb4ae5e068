import type { ErrorCode } from '../../core/code.ts'
import { RpcError } from '../../core/error.ts'

/** An error that HTTP itself has a status for. */
export class HttpProblem extends RpcError {
  readonly status: ProblemStatus
  readonly headers: Readonly<Record<string, string>>

  constructor(status: ProblemStatus, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(problemCodes[status], message, { phase: 'read' })
    this.status = status
    this.headers = headers
  }
}

export type ProblemStatus = keyof typeof problemCodes

/** What the errors of HTTP are among ours. */
const problemCodes = {
  400: 'invalid_argument',
  403: 'permission_denied',
  404: 'not_found',
  405: 'unimplemented',
  408: 'deadline_exceeded',
  413: 'resource_exhausted',
  414: 'resource_exhausted',
  415: 'invalid_argument',
  417: 'unimplemented',
  421: 'permission_denied',
  431: 'resource_exhausted',
  501: 'unimplemented',
  505: 'unimplemented',
} as const satisfies Readonly<Record<number, ErrorCode>>

const statuses: Readonly<Record<ErrorCode, number>> = {
  cancelled: 499,
  unknown: 500,
  invalid_argument: 400,
  deadline_exceeded: 504,
  not_found: 404,
  already_exists: 409,
  permission_denied: 403,
  resource_exhausted: 429,
  failed_precondition: 400,
  aborted: 409,
  out_of_range: 400,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  data_loss: 500,
  unauthenticated: 401,
}

/** The status that an error is answered with: SPEC.md has the table. */
export function statusOf(error: RpcError): number {
  return error instanceof HttpProblem ? error.status : statuses[error.code]
}

/** What a status means that came without an error of ours: from a proxy, or another kind of server. */
export function codeOfStatus(status: number): ErrorCode {
  switch (status) {
    case 400:
    case 413:
    case 415:
      return 'invalid_argument'
    case 401:
      return 'unauthenticated'
    case 403:
    case 421:
      return 'permission_denied'
    case 404:
    case 405:
    case 501:
      return 'unimplemented'
    case 408:
      return 'deadline_exceeded'
    case 409:
      return 'aborted'
    case 429:
    case 431:
      return 'resource_exhausted'
    case 499:
      return 'cancelled'
    case 502:
    case 503:
    case 504:
      return 'unavailable'
    default:
      return 'unknown'
  }
}
