import type { Call } from '../core/call.ts'
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { Handler, Reply } from '../core/layer.ts'
import { resolveLimits } from '../core/limits.ts'
import { refuse } from '../core/settle.ts'
import type { Link } from '../discovery/source.ts'
import type { EndpointPool } from './pool.ts'
import { KnownMethods } from './known-methods.ts'
import { createPoolOpener, type PoolParts } from './pools.ts'

/**
 * A way to one service that stands at several addresses: calls go to the address that worked last; one that certainly
 * did not execute a call is left for the next, each at most once a call. It finds nobody by itself and repeats nothing
 * else: it is what discovery stands on.
 */
export function createLink(endpoints: readonly Endpoint[], open: (endpoint: Endpoint) => EndpointPool): Link {
  if (endpoints.length === 0) throw new RpcError('invalid_argument', 'a link needs at least one endpoint')
  const pools = endpoints.map(open)
  let current = 0
  let closing: Promise<unknown> | undefined

  const attempt = (call: Call, index: number, left: number): Reply | PromiseLike<Reply> => {
    const fork = call.fork()
    const pool = pools[index] as EndpointPool
    fork.candidate = pool
    fork.onEnd(({ error, notExecuted }) => {
      const again = error !== undefined && notExecuted && left > 0 && closing === undefined
      if (!again || call.cancelled !== undefined || call.inputTaken) return void call.end(error, notExecuted)
      const next = (index + 1) % pools.length
      if (current === index) current = next
      fork.replacement = start(call, next, left - 1)
    })
    return pool.call(fork)
  }
  // Async, for a replacement is a promise, whatever the next address does.
  const start = async (call: Call, index: number, left: number) => attempt(call, index, left)

  const call: Handler = (given) => {
    if (closing !== undefined)
      return refuse(given, new RpcError('unavailable', 'the link to the registry is closed'), true)
    return attempt(given, current, pools.length - 1)
  }
  return {
    call,
    async [Symbol.asyncDispose]() {
      closing ??= Promise.all(pools.map((pool) => pool.close()))
      await closing
    },
  }
}

/** Makes `DiscoveryRoom.reach` from what connections are made with. A link has its own connections. */
export function createReach(parts: PoolParts): (endpoints: readonly Endpoint[]) => Link {
  const opener = createPoolOpener(parts, {
    limits: resolveLimits(),
    methods: new KnownMethods(),
    options: {},
    protocolPreference: [],
  })
  return (endpoints) => createLink(endpoints, (endpoint) => opener.open(unregistered(endpoint), endpoint))
}

function unregistered(endpoint: Endpoint): Instance {
  const id = formatEndpoint(endpoint)
  return {
    id,
    incarnation: 0,
    services: [],
    endpoints: [endpoint],
    weight: 1,
    zone: undefined,
    metadata: {},
    status: 'up',
  }
}
