import { type ErrorCode, isErrorCode } from './code.ts'

/** Where in the life of a call an error happened. The first five are the caller's, the last three the server's. */
export type Phase = 'connect' | 'negotiate' | 'send' | 'wait' | 'receive' | 'read' | 'handle' | 'write'

export interface RpcErrorOptions {
  /** Anything a codec can carry; reaches the caller. */
  readonly details?: unknown
  /** The name of a declared error (`method({ errors })`); reaches the caller, whose type narrows on it. */
  readonly reason?: string | undefined
  /** Text pairs that travel beside the error. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** What led to it; stays in this process. */
  readonly cause?: unknown
  readonly phase?: Phase | undefined
}

/** What a log or a UI shows of an error: plain data. */
export interface RpcErrorJson {
  readonly code: ErrorCode
  readonly message: string
  readonly reason?: string
  readonly phase?: Phase
  readonly details?: unknown
}

// A symbol from the global registry, so that two copies of the package in one process know each other's errors.
const brand = Symbol.for('farcall.RpcError')
const executed = Symbol.for('farcall.RpcError.notExecuted')
const hopeless = Symbol.for('farcall.RpcError.hopeless')
const unknownService = Symbol.for('farcall.RpcError.unknownService')

/**
 * The one error class. Throw it in a handler to tell the caller something on purpose: its code, message, reason,
 * details and metadata travel. Anything else that is thrown reaches the caller as `internal`, without its message.
 */
export class RpcError extends Error {
  readonly code: ErrorCode
  readonly details: unknown
  readonly reason: string | undefined
  readonly metadata: Readonly<Record<string, string>> | undefined
  readonly phase: Phase | undefined

  constructor(code: ErrorCode, message: string, options: RpcErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details
    this.reason = options.reason
    this.metadata = options.metadata
    this.phase = options.phase
  }

  /** True for every RpcError, also of another copy of the package. */
  static is(value: unknown): value is RpcError {
    return typeof value === 'object' && value !== null && brand in value
  }

  /**
   * The only funnel from anything thrown to an RpcError. An RpcError passes as it is; an abort becomes `cancelled`,
   * a time-out `deadline_exceeded`; the rest becomes `code` (default `internal`) with what was thrown as its cause.
   */
  static from(thrown: unknown, code: ErrorCode = 'internal', phase?: Phase): RpcError {
    if (RpcError.is(thrown)) return thrown
    if (thrown instanceof Error) {
      const options = { cause: thrown, phase }
      if (thrown.name === 'AbortError') return new RpcError('cancelled', thrown.message, options)
      if (thrown.name === 'TimeoutError') return new RpcError('deadline_exceeded', thrown.message, options)
      return new RpcError(code, thrown.message, options)
    }
    return new RpcError(code, describeThrown(thrown), { cause: thrown, phase })
  }

  toJSON(): RpcErrorJson {
    return {
      code: this.code,
      message: this.message,
      ...(this.reason !== undefined && { reason: this.reason }),
      ...(this.phase !== undefined && { phase: this.phase }),
      ...(this.details !== undefined && { details: this.details }),
    }
  }
}
Object.defineProperty(RpcError.prototype, brand, { value: true })
Object.defineProperty(RpcError.prototype, 'name', { value: 'RpcError', writable: true, configurable: true })

/**
 * Marks an error as "the handler has certainly not run". Only sessions, and what stands before them in the same
 * process, may say so; it is what makes repeating a call that is not idempotent safe, and it never crosses a hop.
 */
export function markNotExecuted(error: RpcError): RpcError {
  Object.defineProperty(error, executed, { value: true, configurable: true })
  return error
}

/** Whether a session said that the handler has certainly not run. */
export function isNotExecuted(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[executed] === true
}

/**
 * Marks an error as one that another attempt would meet again: the client is closed, or nobody is there to call. Calls
 * that fail with it fail at once, and are not repeated.
 */
export function markHopeless(error: RpcError): RpcError {
  Object.defineProperty(error, hopeless, { value: true, configurable: true })
  return error
}

/** Whether another attempt would meet the same error. */
export function isHopeless(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[hopeless] === true
}

/**
 * Marks an error as "this server has no such service", for the sessions of protocols that say it in words of their own.
 * Another server may have it.
 */
export function markUnknownService(error: RpcError): RpcError {
  Object.defineProperty(error, unknownService, { value: true, configurable: true })
  return error
}

/** Whether a session said that its peer has no such service. */
export function saysUnknownService(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[unknownService] === true
  )
}

/**
 * An error rebuilt from what a peer sent. Its stack would only show the decoder, so none is captured: that makes a
 * refused call about as cheap as an answered one.
 */
export function remoteError(code: unknown, message: string, options: RpcErrorOptions): RpcError {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return new RpcError(isErrorCode(code) ? code : 'unknown', message, options)
  } finally {
    Error.stackTraceLimit = limit
  }
}

// A thrown value can have a hostile toString; an error about an error helps nobody.
function describeThrown(thrown: unknown): string {
  try {
    return `thrown: ${String(thrown)}`
  } catch {
    return 'thrown: a value that cannot be shown'
  }
}
