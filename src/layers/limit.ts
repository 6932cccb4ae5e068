import type { Call, Outcome } from '../core/call.ts'
import { CallQueue } from '../core/call-queue.ts'
import type { Cancel } from '../core/clock.ts'
import { markNotExecuted, RpcError } from '../core/error.ts'
import type { Layer, Reply } from '../core/layer.ts'
import { refuse } from '../core/settle.ts'
import { checkNumbers } from './check-options.ts'

export interface LimitOptions {
  /** Calls at once, streams until they end. */
  readonly maxInFlight: number
  /** Calls that may wait for their turn. Default as many as `maxInFlight`. */
  readonly maxQueued?: number
  /**
   * How long one may wait. Default 50 ms: enough for a burst to pass; a longer queue helps nobody, for it only makes
   * everybody slow before it fails (CoDel, SRE).
   */
  readonly queueMs?: number
}

/**
 * Bounds how many calls are carried out at once. The others wait a moment, first come, first served; beyond that they
 * are refused as `resource_exhausted` and "not executed", so that a client may go elsewhere. What is cancelled or
 * expires while it waits never runs.
 * @throws RpcError `invalid_argument` for a number that makes no sense.
 */
export function limit(options: LimitOptions): Layer {
  const { maxInFlight, maxQueued = maxInFlight, queueMs = 50 } = options
  checkNumbers('limit', 1, { maxInFlight })
  checkNumbers('limit', 0, { maxQueued, queueMs })
  return (next) => {
    const queue = new CallQueue()
    let inFlight = 0
    let disarm: Cancel | undefined

    const freed = (outcome: Outcome): void => {
      inFlight--
      // After this turn: whoever ends a call may be in the middle of something.
      if (queue.size > 0) (outcome as Call).clock.defer(releaseAll)
    }
    const run = (call: Call): Reply | PromiseLike<Reply> => {
      inFlight++
      call.onEnd(freed)
      return next(call)
    }
    const releaseAll = (): void => {
      while (inFlight < maxInFlight && queue.release(run));
    }
    // One timer for all that wait: they came in order, and so their time runs out.
    const arm = (call: Call): void => {
      const { oldestSince } = queue
      if (disarm !== undefined || oldestSince === undefined) return
      const { clock } = call
      disarm = clock.afterInBackground(oldestSince + queueMs - clock.now(), () => {
        disarm = undefined
        const now = clock.now()
        for (
          let since = queue.oldestSince;
          since !== undefined && since + queueMs <= now;
          since = queue.oldestSince
        ) {
          queue.refuseFirst(tooMany(`none of ${maxInFlight} calls ended within ${queueMs} ms`))
        }
        arm(call)
      })
    }

    return (call) => {
      if (inFlight < maxInFlight && queue.size === 0) return run(call)
      if (queue.size >= maxQueued || queueMs === 0) {
        return refuse(call, tooMany(`${inFlight} calls are being carried out and ${queue.size} wait`))
      }
      const reply = queue.add(call)
      arm(call)
      return reply
    }
  }
}

function tooMany(why: string): RpcError {
  return markNotExecuted(new RpcError('resource_exhausted', `too many calls at once: ${why}`))
}
