import { Call } from '../core/call.ts'
import type { Cancel, Clock } from '../core/clock.ts'
import { detached } from '../core/context.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import { type Handler, isPending } from '../core/layer.ts'
import type { MethodInfo } from '../core/method-info.ts'
import { isStream } from '../core/stream.ts'
import { registryService } from './api/messages.ts'
import type { DiscoveryRoom, Link } from './source.ts'

/** How a registry is reached. */
export interface RegistryLine {
  readonly clock: Clock
  /** Under which name it offers itself. */
  readonly service: string
  readonly call: Handler
  /** Harmless if repeated, and for a line that was never used. */
  close(): Promise<void>
}

/** A line to a registry; nothing is opened before it is used. */
export function openLine(
  endpoints: readonly Endpoint[],
  room: DiscoveryRoom,
  service: string = registryService,
): RegistryLine {
  let link: Link | undefined
  let closed = false
  return {
    clock: room.clock,
    service,
    call(call) {
      if (closed) throw new RpcError('unavailable', 'the line to the registry was closed')
      link ??= room.reach(endpoints)
      return link.call(call)
    },
    async close() {
      closed = true
      const open = link
      link = undefined
      await open?.[Symbol.asyncDispose]()
    },
  }
}

/** How long a registry may take to answer: 2 s. A slow one counts as down, and somebody asks again. */
export const registryTimeoutMs = 2_000

const value: MethodInfo = { idempotent: true, input: 'values', output: 'value' }
const stream: MethodInfo = { idempotent: true, input: 'values', output: 'stream' }

export interface AskOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/**
 * Asks a registry for one answer. It settles in time also where what it goes through does not: it belongs to no call
 * that happens to be running, and watches its own deadline.
 */
export function askRegistry(
  line: RegistryLine,
  method: string,
  request: unknown,
  options: AskOptions = {},
): Promise<unknown> {
  const { timeoutMs = registryTimeoutMs, signal } = options
  return detached(() => {
    const call = makeCall(line, method, request, { info: value, timeoutMs, bounded: true })
    return settle(line, call, signal)
  })
}

/**
 * Opens a watch. The items come one by one; the first must come in time, and from then on one at least every
 * `silenceMs`, else the loop throws `unavailable`. Aborting the signal or leaving the loop ends it.
 */
export async function* watchRegistry(
  line: RegistryLine,
  request: unknown,
  options: { readonly silenceMs: number; readonly signal: AbortSignal },
): AsyncGenerator<unknown, void> {
  const { silenceMs, signal } = options
  const info = stream
  const call = makeCall(line, 'watch', request, { info, timeoutMs: registryTimeoutMs, bounded: false })
  const broken = Promise.withResolvers<never>()
  broken.promise.catch(() => {})
  call.onCancel(broken.reject)
  const abort = () => call.cancel(new RpcError('cancelled', 'nobody watches any more'))
  signal.addEventListener('abort', abort, { once: true })
  let stopListening: Cancel = () => {}
  let items: AsyncIterator<unknown> | undefined
  try {
    if (signal.aborted) abort()
    const reply = await settle(line, call, undefined)
    if (!isStream(reply)) throw new RpcError('internal', 'the registry answered a watch with something else')
    items = reply[Symbol.asyncIterator]()
    for (;;) {
      const next = items.next()
      // Whoever loses the race must not become an unhandled rejection.
      next.catch(() => {})
      const result = await Promise.race([next, broken.promise])
      if (result.done === true) throw new RpcError('unavailable', 'the registry ended the watch')
      call.liftDeadline()
      stopListening()
      yield result.value
      stopListening = line.clock.afterInBackground(silenceMs, () => {
        call.cancel(new RpcError('unavailable', `the registry said nothing for ${silenceMs / 1000} s`))
      })
    }
  } finally {
    stopListening()
    signal.removeEventListener('abort', abort)
    const left = new RpcError('cancelled', 'the watch was left')
    call.cancel(left)
    leave(items)
    call.end(left)
  }
}

function makeCall(
  line: RegistryLine,
  method: string,
  request: unknown,
  options: { info: MethodInfo; timeoutMs: number; bounded: boolean },
): Call {
  const call = new Call({
    clock: line.clock,
    service: line.service,
    method,
    args: { list: request === undefined ? [] : [request] },
    deadline: line.clock.now() + options.timeoutMs,
    bounded: options.bounded,
    info: options.info,
  })
  call.watchDeadline()
  return call
}

/** The reply, or the reason for which nobody waits for it any longer. */
function settle(line: RegistryLine, call: Call, signal: AbortSignal | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const abort = () => call.cancel(new RpcError('cancelled', `${call.name} is not needed any more`))
    const failed = (thrown: unknown) => {
      signal?.removeEventListener('abort', abort)
      const error = RpcError.from(thrown, 'unavailable')
      reject(error)
      // For a handler that does not; whoever carried the call out has ended it by now.
      call.end(error)
    }
    const succeeded = (answer: unknown) => {
      signal?.removeEventListener('abort', abort)
      if (!isStream(answer)) call.end()
      // What comes after its time has nobody to read it.
      else if (call.cancelled !== undefined) leave(answer[Symbol.asyncIterator]())
      resolve(answer)
    }
    if (signal?.aborted === true)
      return failed(new RpcError('cancelled', `${call.name} was given up before it began`))
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const reply = line.call(call)
      if (isPending(reply)) reply.then(succeeded, failed)
      else succeeded(reply)
    } catch (error) {
      failed(error)
    }
    // Last, so that a session hears of it first and can tell its peer.
    call.onCancel(failed)
  })
}

function leave(items: AsyncIterator<unknown> | undefined): void {
  try {
    items?.return?.().then(undefined, () => {})
  } catch {
    // It was left anyway.
  }
}
