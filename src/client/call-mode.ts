import { checkKeys } from '../core/check.ts'
import { RpcError } from '../core/error.ts'
import type { BroadcastOptions, CallOptions } from './types.ts'

/** How the calls of one service proxy are made: what `$with`, `$named`, `$send`, `$try` and `$broadcast` add up to. */
export interface CallMode {
  readonly options: CallOptions
  /** The single argument holds the arguments by name. */
  readonly named: boolean
  /** No reply is waited for. */
  readonly oneway: boolean
  /** The outcome is a value; RpcErrors do not reject. */
  readonly caught: boolean
  /** Every instance is called, and this is what it comes to. */
  readonly broadcast: BroadcastOptions['result']
  /** Only instances that offer this version of the service. */
  readonly version: string | undefined
}

export const plainMode: CallMode = Object.freeze({
  options: Object.freeze({}),
  named: false,
  oneway: false,
  caught: false,
  broadcast: undefined,
  version: undefined,
})

const known: ReadonlySet<string> = new Set<keyof CallOptions>([
  'timeoutMs',
  'idleTimeoutMs',
  'signal',
  'metadata',
  'key',
  'idempotent',
  'instance',
])

/**
 * Adds call options to those there are: the later one wins, metadata name by name.
 * @throws RpcError `invalid_argument` for an unknown option or a value of the wrong kind.
 */
export function mergeCallOptions(base: CallOptions, added: CallOptions): CallOptions {
  checkKeys('call option', added, known)
  checkMs('timeoutMs', added.timeoutMs)
  checkMs('idleTimeoutMs', added.idleTimeoutMs)
  if (added.signal !== undefined && typeof added.signal.addEventListener !== 'function') {
    throw new RpcError('invalid_argument', 'the call option signal must be an AbortSignal')
  }
  checkText('key', added.key)
  checkText('instance', added.instance)
  const metadata =
    base.metadata !== undefined && added.metadata !== undefined
      ? { ...base.metadata, ...added.metadata }
      : (added.metadata ?? base.metadata)
  return Object.freeze({ ...base, ...added, ...(metadata !== undefined && { metadata }) })
}

/**
 * What the options of a broadcast add to the mode.
 * @throws RpcError `invalid_argument` as {@link mergeCallOptions}.
 */
export function broadcastMode(
  base: CallOptions,
  added: BroadcastOptions,
): Pick<CallMode, 'options' | 'broadcast'> {
  const { result = 'all', ...options } = added
  if (result !== 'all' && result !== 'first') {
    throw new RpcError(
      'invalid_argument',
      `$broadcast: result must be 'all' or 'first', got ${JSON.stringify(result)}`,
    )
  }
  return { options: mergeCallOptions(base, options), broadcast: result }
}

// Zero and less are no mistake: a caller may hand on what is left of its own time, and then the call fails as expired.
function checkMs(name: string, value: number | undefined): void {
  if (value !== undefined && (typeof value !== 'number' || Number.isNaN(value))) {
    throw new RpcError(
      'invalid_argument',
      `the call option ${name} must be a number of milliseconds, got ${String(value)}`,
    )
  }
}

function checkText(name: string, value: string | undefined): void {
  if (value !== undefined && typeof value !== 'string') {
    throw new RpcError('invalid_argument', `the call option ${name} must be a string, got ${typeof value}`)
  }
}
