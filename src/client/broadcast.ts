import type { Call } from '../core/call.ts'
import { isNotExecuted, markNotExecuted, RpcError } from '../core/error.ts'
import type { Handler } from '../core/layer.ts'
import { isStream } from '../core/stream.ts'
import type { EndpointPool } from './pool.ts'
import type { Routes } from './routes.ts'
import type { BroadcastResult } from './types.ts'

export interface BroadcastRoom {
  /** Carries out one call: retry, attempt layers, dispatch. */
  readonly attempts: Handler
  readonly routes: Routes
  /** Everyone to be called, once it is known who that is. Rejects if there is nobody. */
  everyone(call: Call): Promise<readonly EndpointPool[]>
  /** Whether it was called only because it did not say what it offers, unlike others, and has answered that it lacks this. */
  isStray(call: Call, pool: EndpointPool, error: RpcError): boolean
}

/**
 * Calls every instance, each with a leg of its own under the deadline of the whole, and settles when all of them have.
 * `all` gives what each of them answered; `first` the first success, and then cancels the others, or the first error.
 * It ends the call.
 */
export async function broadcast(call: Call, result: 'all' | 'first', room: BroadcastRoom): Promise<unknown> {
  try {
    const reply = await callEveryone(call, result, room)
    call.end()
    return reply
  } catch (thrown) {
    const error = RpcError.from(thrown)
    call.end(error, isNotExecuted(error))
    throw error
  }
}

async function callEveryone(call: Call, result: 'all' | 'first', room: BroadcastRoom): Promise<unknown> {
  const { list, named } = call.args
  if (list.some(isStream) || [...(named?.values() ?? [])].some(isStream)) {
    const message = `${call.name}: a stream can be read by one instance only, so it cannot be an argument of a broadcast`
    throw markNotExecuted(new RpcError('invalid_argument', message))
  }
  const pools = await room.everyone(call)
  if (call.cancelled !== undefined) throw call.cancelled
  const legs = pools.map((pool) => startLeg(call, pool, room))
  const isStray: IsStray = (pool, error) => error !== undefined && room.isStray(call, pool, error)
  if (result === 'first') return first(legs, isStray)
  const results = await Promise.all(legs.map(legResult))
  // Where time ran out, what came in time still counts; one that is cancelled is no longer wanted at all.
  throwIfUnwanted(call)
  const meant = results.filter(({ error }, i) => !isStray(pools[i] as EndpointPool, error))
  return meant.length > 0 ? meant : results
}

function throwIfUnwanted({ cancelled }: Call): void {
  if (cancelled?.code === 'cancelled') throw cancelled
}

type IsStray = (pool: EndpointPool, error: RpcError | undefined) => boolean

interface Leg {
  readonly call: Call
  readonly pool: EndpointPool
  readonly endpoint: string
  readonly reply: Promise<unknown>
}

function startLeg(call: Call, pool: EndpointPool, room: BroadcastRoom): Leg {
  const leg = call.fork()
  room.routes.add(leg, { pool })
  const { endpoint } = pool.status()
  // Async, so that a leg that fails at once rejects like the others.
  const reply = (async () => room.attempts(leg))()
  return { call: leg, pool, endpoint, reply }
}

async function legResult({ endpoint, reply }: Leg): Promise<BroadcastResult<unknown>> {
  try {
    return { endpoint, value: await reply }
  } catch (thrown) {
    return { endpoint, error: RpcError.from(thrown) }
  }
}

async function first(legs: readonly Leg[], isStray: IsStray): Promise<unknown> {
  let winner: { readonly value: unknown } | undefined
  let firstError: RpcError | undefined
  let firstStray: RpcError | undefined
  const settled = legs.map(async ({ call, pool, reply }) => {
    try {
      const value = await reply
      if (winner !== undefined) return void (await leave(value))
      winner = { value }
    } catch (thrown) {
      const error = RpcError.from(thrown)
      if (isStray(pool, error)) firstStray ??= error
      else firstError ??= error
      return
    }
    const reason = new RpcError('cancelled', `${call.name}: another instance has answered`)
    for (const other of legs) if (other.call !== call) other.call.cancel(reason)
  })
  await Promise.all(settled)
  if (winner !== undefined) return winner.value
  throw firstError ?? firstStray ?? new RpcError('internal', 'a broadcast to nobody')
}

// A stream that came second is nobody's.
async function leave(value: unknown): Promise<void> {
  if (isStream(value)) await value[Symbol.asyncIterator]().return?.()
}
