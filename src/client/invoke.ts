import { Call } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { currentCall } from '../core/context.ts'
import { isNotExecuted, markNotExecuted, RpcError } from '../core/error.ts'
import type { Handler } from '../core/layer.ts'
import type { MethodInfo } from '../core/method-info.ts'
import { callArguments } from './arguments.ts'
import type { CallMode } from './call-mode.ts'
import { watchIdle } from './idle.ts'
import { Inheritance, inherited, metadataFor } from './inherit.ts'
import type { KnownMethod } from './known-methods.ts'
import type { Invoke } from './proxy.ts'
import { iterable } from './reply.ts'
import type { Route, Routes } from './routes.ts'

/** What making a call needs to know of its client. */
export interface InvokeRoom {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly maxPendingCalls: number
  readonly forwardMetadata: readonly string[]
  /** All that comes after: layers, retry, dispatch. It ends the call. */
  readonly handler: Handler
  readonly routes: Routes
  /** Why no calls can be made any more, once that is so. */
  closed(): RpcError | undefined
}

const unknownMethod: MethodInfo = Object.freeze({ idempotent: false, input: 'values', output: 'value' })

/** Makes calls: the first step on their way, where everything is decided that is the caller's to decide. */
export class Caller {
  readonly #room: InvokeRoom
  readonly #inheritance = new Inheritance()
  #pending = 0
  #onIdle: (() => void) | undefined
  // One listener for all calls: a call costs no closure.
  readonly #onEnd = () => {
    if (--this.#pending === 0) this.#onIdle?.()
  }

  constructor(room: InvokeRoom) {
    this.#room = room
  }

  /** Calls that have not ended. */
  get pending(): number {
    return this.#pending
  }

  /** Resolves when no call is pending. */
  idle(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }

  /** A call starts when it is made: what can be sent at once has been when this returns. It never throws. */
  readonly invoke: Invoke = (method, list, mode) => {
    const reply = this.#start(method, list, mode)
    if (mode.caught) return reply.then(succeeded, failed)
    return mode.options.idleTimeoutMs === undefined
      ? iterable(reply)
      : iterable(watchIdle(reply, mode.options.idleTimeoutMs, this.#room.clock))
  }

  #start(method: KnownMethod, list: readonly unknown[], mode: CallMode): Promise<unknown> {
    let call: Call | undefined
    try {
      call = this.#make(method, list, mode)
      return Promise.resolve(this.#room.handler(call))
    } catch (thrown) {
      const error = RpcError.from(thrown)
      call?.end(error, isNotExecuted(error))
      return Promise.reject(error)
    }
  }

  #make(method: KnownMethod, list: readonly unknown[], mode: CallMode): Call {
    const { clock, maxPendingCalls, forwardMetadata, routes } = this.#room
    const { options } = mode
    const name = method.fullName
    const closed = this.#room.closed()
    if (closed !== undefined) throw closed
    if (this.#pending >= maxPendingCalls) throw tooMany(name, maxPendingCalls)
    const { signal, timeoutMs } = options
    if (signal?.aborted) throw markNotExecuted(aborted(name, signal))
    const args = callArguments(name, list, mode.named)
    const parent = currentCall()
    const living = parent === undefined || parent.ended ? undefined : parent
    if (living?.cancelled !== undefined) throw markNotExecuted(inherited(living, name, living.cancelled))
    const now = clock.now()
    const deadline = Math.min(
      now + (timeoutMs ?? this.#room.timeoutMs),
      living?.deadline ?? Number.POSITIVE_INFINITY,
    )
    if (deadline <= now) throw expired(name, timeoutMs)
    const call = new Call({
      clock,
      service: method.service,
      method: method.name,
      args,
      deadline,
      bounded: timeoutMs !== undefined,
      info: infoFor(method, options.idempotent),
      oneway: mode.oneway,
      metadata: metadataFor(options.metadata, parent, forwardMetadata),
      key: options.key,
      startedAt: now,
    })
    this.#pending++
    call.onEnd(this.#onEnd)
    call.watchDeadline()
    if (living !== undefined) this.#inheritance.adopt(living, call)
    if (signal !== undefined) follow(call, signal)
    const route = routeFor(mode)
    if (route !== undefined) routes.add(call, route)
    return call
  }
}

function routeFor({ broadcast, version, options: { instance } }: CallMode): Route | undefined {
  if (broadcast === undefined && version === undefined && instance === undefined) return undefined
  return {
    ...(broadcast !== undefined && { everyone: broadcast }),
    ...(version !== undefined && { version }),
    ...(instance !== undefined && { instance }),
  }
}

function infoFor(method: KnownMethod, idempotent: boolean | undefined): MethodInfo | undefined {
  if (idempotent === undefined || method.info?.idempotent === idempotent) return method.info
  return { ...(method.info ?? unknownMethod), idempotent }
}

// Listens only as long as the call lives: one signal may serve a great many of them.
function follow(call: Call, signal: AbortSignal): void {
  const abort = () => call.cancel(aborted(call.name, signal))
  signal.addEventListener('abort', abort, { once: true })
  call.onEnd(() => signal.removeEventListener('abort', abort))
}

// An error of its own for each call: what is said of one call ("not executed") must not be said of all the others.
function aborted(name: string, signal: AbortSignal): RpcError {
  const reason: unknown = signal.reason
  const { code, message } = RpcError.from(reason, 'cancelled')
  return new RpcError(code, `${name}: cancelled by the caller: ${message}`, { cause: reason })
}

function tooMany(name: string, limit: number): RpcError {
  return markNotExecuted(
    new RpcError(
      'resource_exhausted',
      `${name}: ${limit} calls of this client are pending already (limits.maxPendingCalls)`,
    ),
  )
}

function expired(name: string, timeoutMs: number | undefined): RpcError {
  const why =
    timeoutMs !== undefined && timeoutMs <= 0
      ? `timeoutMs is ${timeoutMs}`
      : 'the call that makes it has no time left'
  return markNotExecuted(new RpcError('deadline_exceeded', `${name}: not sent: ${why}`, { phase: 'connect' }))
}

const succeeded = (value: unknown) => ({ ok: true, value })
const failed = (error: unknown) => ({ ok: false, error: RpcError.from(error) })
