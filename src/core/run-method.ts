import { bind } from './bind.ts'
import type { Call } from './call.ts'
import { runDirectlyInCall, runInCall } from './context.ts'
import { RpcError } from './error.ts'
import { isPending, type Reply } from './layer.ts'
import type { Method } from './method.ts'
import { type ErrorRoom, toReplyError } from './reply-error.ts'
import { ReplyStream } from './reply-stream.ts'
import { isStream } from './stream.ts'
import { validateInput, validateOutput } from './validate.ts'

/** What surrounds the methods of a server. */
export interface RunRoom extends ErrorRoom {
  /** Nothing stands between the sessions and the methods: no layer that may have changed the flow. Default false. */
  readonly direct?: boolean
}

type Awaitable = Reply | PromiseLike<Reply>

/**
 * Carries out a call: binds and checks its arguments, runs the function as part of the call, checks the result. It is
 * synchronous as long as function and schemas are.
 * @throws RpcError, whatever the function throws; or rejects with it.
 */
export function runMethod(method: Method, call: Call, room: RunRoom): Awaitable {
  call.info = method.info
  call.phase = 'handle'
  checkTime(call, method, room)
  const args = bind(method, call.args)
  return method.input === undefined ? run(method, args, call, room) : checkAndRun(method, args, call, room)
}

// A call that was given up while it waited must not run: nobody would see that it did.
function checkTime(call: Call, method: Method, room: RunRoom): void {
  if (call.deadline !== Number.POSITIVE_INFINITY || method.timeoutMs !== undefined) {
    // A handler that ran before this one may have held up the loop. The clock was read since: when this call came, after
    // each handler that gave a promise (`run`) and at the end of every other (the statistics). Layers may have let time pass.
    const now = room.direct === true ? call.clock.recent() : call.clock.now()
    if (now >= call.deadline) call.onDue()
    else if (method.timeoutMs !== undefined && now + method.timeoutMs < call.deadline)
      shorten(call, now + method.timeoutMs)
  }
  checkWanted(call)
}

function checkWanted(call: Call): void {
  if (call.cancelled !== undefined) throw call.cancelled
  if (call.ended)
    throw call.error ?? new RpcError('cancelled', `${call.name}: the call ended before it could begin`)
}

function shorten(call: Call, deadline: number): void {
  call.clock.deadlines.remove(call)
  call.deadline = deadline
  if (!call.ended) call.watchDeadline()
}

function checkAndRun(method: Method, args: readonly unknown[], call: Call, room: RunRoom): Awaitable {
  let checked: ReturnType<typeof validateInput>
  try {
    checked = validateInput(method, args)
  } catch (thrown) {
    return refuse(method, thrown, call, room)
  }
  if (!(checked instanceof Promise)) return run(method, checked, call, room)
  return checked.then(
    (valid) => {
      checkWanted(call)
      return run(method, valid, call, room)
    },
    (thrown: unknown) => refuse(method, thrown, call, room),
  )
}

function run(method: Method, args: readonly unknown[], call: Call, room: RunRoom): Awaitable {
  let reply: Awaitable
  try {
    if (!method.context) reply = method.fn(...args)
    else if (room.direct === true) reply = runDirectlyInCall(call, method.fn, args)
    else reply = runInCall(call, () => method.fn(...args))
  } catch (thrown) {
    return refuse(method, thrown, call, room)
  }
  // Asked first: what a client's call gives is a promise that can also be iterated.
  if (isPending(reply)) {
    // For whoever asks `recent` next: what has run until here may have held up the loop.
    call.clock.now()
    return Promise.resolve(reply).then(
      (value) => finish(method, value, call, room),
      (thrown: unknown) => refuse(method, thrown, call, room),
    )
  }
  return finish(method, reply, call, room)
}

function finish(method: Method, value: unknown, call: Call, room: RunRoom): Awaitable {
  if (isStream(value)) return finishStream(method, value, call, room)
  if (method.output === undefined) return value
  try {
    const checked = validateOutput(method, method.output, value)
    if (!(checked instanceof Promise)) return checked
    return checked.catch((thrown: unknown) => refuse(method, thrown, call, room))
  } catch (thrown) {
    return refuse(method, thrown, call, room)
  }
}

function finishStream(method: Method, stream: AsyncIterable<unknown>, call: Call, room: RunRoom): Reply {
  const checked = method.output === undefined ? stream : validateOutput(method, method.output, stream)
  const reply = new ReplyStream(
    method.context ? call : undefined,
    checked as AsyncIterable<unknown>,
    async (thrown) => refuse(method, thrown, call, room),
  )
  if (call.cancelled === undefined && !call.ended) return reply
  // Nobody is there to iterate over it, so nobody would end it either.
  reply.return().catch(() => {})
  throw call.cancelled ?? call.error ?? new RpcError('cancelled', `${call.name}: the call has ended`)
}

// Throws, or gives a promise that rejects.
function refuse(method: Method, thrown: unknown, call: Call, room: RunRoom): Promise<never> {
  const error = toReplyError(thrown, call, method, room)
  if (!(error instanceof Promise)) throw error
  return error.then((late) => {
    throw late
  })
}
