import { backoffMs } from '../core/backoff.ts'
import type { Call, Judge } from '../core/call.ts'
import { isHopeless, RpcError } from '../core/error.ts'
import { type Handler, isPending, type Layer, type Reply } from '../core/layer.ts'
import { fail } from '../core/settle.ts'
import { isStream } from '../core/stream.ts'
import { RetryBudget } from './retry-budget.ts'
import { type ResolvedRetryOptions, type RetryOptions, resolveRetryOptions } from './retry-options.ts'

export type { RetryBudgetOptions } from './retry-budget.ts'
export type { RetryOptions } from './retry-options.ts'

/**
 * Makes a call again, on a client, where that is safe and may help: it was certainly not executed, or its method is
 * idempotent and the server was not available or this attempt ran out of time. Never once an item was taken from a
 * stream argument or the reply has begun, never beyond the deadline, never more than the budget allows. Other
 * candidates come first; what was refused before it was sent is sent again at once.
 *
 * Every attempt is a fork of the call; `inPlace` is for a client that has no layers inside of this one which could change
 * an attempt: its first attempt is the call itself, and costs nothing. One that succeeds costs no promise either way: the
 * next attempt takes the place of a failed one through `call.replacement`. One layer is one budget.
 * @throws RpcError `invalid_argument` for a number that makes no sense.
 */
export function retry(options: RetryOptions = {}, { inPlace = false } = {}): Layer {
  const policy = resolveRetryOptions(options)
  const budget = new RetryBudget(policy.budget)
  return (next) => {
    // Asked about every first attempt that fails: one function for all calls.
    const judgeFirst: Judge = (call) => {
      const waitMs = waitBeforeNext(call, 1, call, policy, budget)
      if (waitMs === undefined) return undefined
      const { notExecuted, attempt, candidate, tried } = call
      const last = { attempt, candidate, tried }
      return () => later(call, waitMs, notExecuted, () => again(last, call, notExecuted))
    }

    /** `untouched`: no attempt has been executed so far. */
    function ended(attempt: Call, origin: Call, untouched: boolean): void {
      const notExecuted = untouched && attempt.notExecuted
      const made = attempt.attempt - origin.attempt + 1
      const waitMs =
        attempt.error === undefined || origin.ended
          ? undefined
          : waitBeforeNext(attempt, made, origin, policy, budget)
      if (waitMs === undefined) origin.end(attempt.error, notExecuted)
      else attempt.replacement = later(origin, waitMs, notExecuted, () => again(attempt, origin, notExecuted))
    }

    function again(last: Attempt, origin: Call, untouched: boolean): Reply | PromiseLike<Reply> {
      const tried = new Set(last.tried)
      if (last.candidate !== undefined) tried.add(last.candidate)
      const attempt = origin.fork({ attempt: last.attempt + 1, tried })
      attempt.onEnd(() => ended(attempt, origin, untouched))
      return carryOut(next, attempt)
    }

    return (call) => {
      budget.deposit(call.startedAt)
      if (inPlace) {
        call.attempted(judgeFirst)
        return carryOut(next, call)
      }
      const attempt = call.fork()
      attempt.onEnd(() => ended(attempt, call, true))
      return carryOut(next, attempt)
    }
  }
}

type Attempt = Pick<Call, 'attempt' | 'candidate' | 'tried'>

// A layer inside may answer by itself; then the attempt has not been ended by anybody yet.
function carryOut(next: Handler, attempt: Call): Reply | PromiseLike<Reply> {
  let reply: Reply | PromiseLike<Reply>
  try {
    reply = next(attempt)
  } catch (thrown) {
    // Asked first: where another attempt is under way the call has not ended, and goes on.
    if (attempt.replacement !== undefined) return attempt.replacement
    if (!attempt.ended) return fail(attempt, RpcError.from(thrown))
    throw thrown
  }
  if (!attempt.ended && !isPending(reply) && !isStream(reply)) {
    attempt.begin()
    attempt.end()
  }
  return reply
}

/** How long to wait before the next attempt; undefined if there is to be none. */
function waitBeforeNext(
  attempt: Call,
  made: number,
  origin: Call,
  policy: ResolvedRetryOptions,
  budget: RetryBudget,
): number | undefined {
  if (made >= policy.attempts || origin.cancelled !== undefined) return undefined
  if (attempt.inputTaken || origin.inputTaken || attempt.headAt !== 0) return undefined
  if (!isWorthwhile(attempt, policy)) return undefined
  // Whoever was never reached is not burdened by a second attempt elsewhere; one that is overloaded would be.
  const transparent = attempt.notExecuted && attempt.error?.code !== 'resource_exhausted' && made === 1
  const waitMs = transparent ? 0 : backoffMs(policy, made, policy.random)
  const now = origin.clock.now()
  if (now + waitMs >= origin.deadline) return undefined
  return transparent || budget.withdraw(now) ? waitMs : undefined
}

function isWorthwhile(attempt: Call, policy: ResolvedRetryOptions): boolean {
  const { error, notExecuted } = attempt
  if (error === undefined || isHopeless(error)) return false
  if (error.code === 'unavailable' || error.code === 'deadline_exceeded')
    return notExecuted || policy.isIdempotent(attempt)
  if (!notExecuted) return false
  // Others may have room, or get along with us; but what is wrong with the call itself is wrong everywhere.
  if (error.code === 'resource_exhausted') return error.phase !== 'send'
  return (error.phase === 'connect' || error.phase === 'negotiate') && error.code !== 'cancelled'
}

function later(
  origin: Call,
  waitMs: number,
  untouched: boolean,
  run: () => Reply | PromiseLike<Reply>,
): Promise<Reply> {
  const next = new Promise<Reply>((resolve, reject) => {
    let waiting = true
    const go = () => {
      if (!waiting) return
      waiting = false
      try {
        resolve(run())
      } catch (error) {
        reject(error)
      }
    }
    let stop = () => {}
    // Even at once means after this turn: the session that tells of the failure may be in the middle of many.
    if (waitMs > 0) stop = origin.clock.after(waitMs, go)
    else void Promise.resolve().then(go)
    origin.onCancel((reason) => {
      if (!waiting) return
      waiting = false
      stop()
      origin.end(reason, untouched)
      reject(reason)
    })
  })
  // Should nobody take the replacement, nobody is told; it is no unhandled rejection.
  next.catch(() => {})
  return next
}
