import type { Layer } from '../core/layer.ts'
import { checkNumbers } from './check-options.ts'

export interface TimeoutOptions {
  /** The longest that a call may take from here on. For a stream, until its first item, unless the caller bound it all. */
  readonly timeoutMs: number
}

/**
 * Bounds each call that it surrounds: around a client the whole call, inside `retry` every attempt, on a server the
 * handler. It only ever shortens: a caller's own deadline that is nearer holds.
 * @throws RpcError `invalid_argument` for a time that is not positive.
 */
export function timeout({ timeoutMs }: TimeoutOptions): Layer {
  checkNumbers('timeout', Number.MIN_VALUE, { timeoutMs })
  return (next) => (call) => {
    const due = call.clock.now() + timeoutMs
    if (due < call.deadline) {
      call.clock.deadlines.remove(call)
      call.deadline = due
      call.watchDeadline()
    }
    return next(call)
  }
}
