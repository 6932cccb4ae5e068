import type { Call } from '../core/call.ts'
import type { RpcError } from '../core/error.ts'
import { compose, type Handler, type Layer } from '../core/layer.ts'
import { refuse } from '../core/settle.ts'
import { broadcast } from './broadcast.ts'
import { type Cluster, give } from './cluster.ts'
import type { EndpointPool } from './pool.ts'
import { guarded } from './layered.ts'
import type { Routes } from './routes.ts'

/** What stands between a call and the endpoints. */
export interface DispatchRoom {
  readonly routes: Routes
  /** Who can take a call, by its service, or by its method where it names no service. */
  cluster(call: Call, version?: string): Cluster
  /** Of Farcall itself: they end what they answer, so nobody has to look after them. */
  readonly trustedLayers: readonly Layer[]
  readonly layers: readonly Layer[]
  readonly retry: Layer | undefined
  readonly attemptLayers: readonly Layer[]
  /** Why no calls go out any more, once that is so. */
  closed(): RpcError | undefined
}

/**
 * The way of a call, in this order: layers, retry, attempt layers, choice of an endpoint. A call to everyone leaves it
 * after the layers, and each of its legs goes the rest of the way.
 */
export function createDispatch(room: DispatchRoom): Handler {
  const { routes, retry, layers, attemptLayers } = room

  const dispatch: Handler = (call) => {
    if (call.cancelled !== undefined) return refuse(call, call.cancelled, true)
    const closed = room.closed()
    if (closed !== undefined) return refuse(call, closed)
    const route = routes.of(call)
    if (route === undefined) return room.cluster(call).dispatch(call)
    if (route.pool !== undefined) return give(call, route.pool)
    return room.cluster(call, route.version).dispatch(call, route.instance)
  }
  const attempt = compose(attemptLayers, dispatch)
  const attempts = retry === undefined ? attempt : retry(attempt)

  const clusterOf = (call: Call) => room.cluster(call, routes.of(call)?.version)
  const everyone = (call: Call) => clusterOf(call).everyone(call)
  const isStray = (call: Call, pool: EndpointPool, error: RpcError) =>
    clusterOf(call).isStray(call, pool, error)
  const begin: Handler = (call) => {
    const result = routes.of(call)?.everyone
    return result === undefined
      ? attempts(call)
      : broadcast(call, result, { attempts, routes, everyone, isStray })
  }
  const layered = compose(layers, begin)
  const trusting = layers.length === 0 && attemptLayers.length === 0
  return compose(room.trustedLayers, trusting ? layered : guarded(layered))
}
