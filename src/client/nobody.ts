import { markHopeless, markNotExecuted, RpcError } from '../core/error.ts'
import { type Instance, offeredNames } from '../core/instance.ts'
import { listNames, showName } from '../core/names.ts'
import { matches, type Query, type Snapshot } from '../discovery/resolver.ts'
import type { EndpointPool } from './pool.ts'

// The errors of calls for which there is nobody: each says where was looked, and what was found instead.

interface NoInstance {
  readonly query: Query
  readonly source: string
  readonly snapshot: Snapshot
  /** Instances that the client knows of, whatever they offer. */
  readonly known: readonly Instance[]
}

/** Nobody offers the service, or nobody in a way that this client can speak. */
export function noInstance({ query, source, snapshot, known }: NoInstance): RpcError {
  const { service = '', method, ...filters } = query
  const wanted = Object.entries(filters).filter(([, value]) => value !== undefined)
  const also =
    wanted.length === 0
      ? ''
      : ` (wanted: ${wanted.map(([name, value]) => `${name} ${show(value)}`).join(', ')})`
  const stale =
    snapshot.status === 'live' ? '' : `; ${source} cannot be reached, this is the last that it said`
  const who =
    service !== '' || method === undefined
      ? instanceOf(service)
      : `instance with a method ${showName(method)}`
  return nobody(`no ${who}${also} at ${source}${whatElse(query, snapshot, known)}${stale}`)
}

/** The call asked for one instance, and that one is not there. */
export function noSuchInstance(service: string, id: string, source: string): RpcError {
  return nobody(`no ${instanceOf(service, id)} at ${source}`)
}

/** All that are there refuse connections. */
export function unreachable(service: string, source: string, tried: readonly EndpointPool[]): RpcError {
  const errors = tried
    .map((pool) => pool.status())
    .map(({ endpoint, lastError }) => {
      const why = lastError?.message ?? 'cannot be reached'
      return why.includes(endpoint) ? why : `${endpoint}: ${why}`
    })
  const where = tried.length === 1 ? '' : ` (${tried.length} from ${source})`
  const error = nobody(
    `no ${instanceOf(service)} can be reached${where}: ${listNames(errors, 3)}`,
    tried[0]?.status().lastError,
  )
  return markNotExecuted(error)
}

/** The client takes no more calls. */
export function clientClosed(): RpcError {
  return nobody('the client is closed')
}

/** Adds to the reason why a waiting call was given up what it waited for. */
export function whileWaiting(reason: RpcError, source: string, snapshot: Snapshot | undefined): RpcError {
  if (reason.code !== 'deadline_exceeded')
    return markNotExecuted(new RpcError(reason.code, reason.message, { cause: reason, phase: 'connect' }))
  const why = snapshot?.reason === undefined ? '' : `: ${snapshot.reason.message}`
  const what =
    snapshot === undefined || snapshot.status === 'lost'
      ? `${source} has not said yet who is there${why}`
      : `nobody at ${source} could be connected to`
  return markNotExecuted(
    new RpcError(reason.code, `${reason.message}; ${what}`, { cause: reason, phase: 'connect' }),
  )
}

function nobody(message: string, cause?: RpcError): RpcError {
  return markHopeless(markNotExecuted(new RpcError('unavailable', message, { phase: 'connect', cause })))
}

function whatElse(query: Query, snapshot: Snapshot, known: readonly Instance[]): string {
  const there = [...snapshot.instances.values()].filter((instance) => matches(instance, query))
  if (there.length > 0) {
    const protocols = new Set(there.flatMap(({ endpoints }) => endpoints.map(({ protocol }) => protocol)))
    return `: this client cannot speak to the ${there.length} that are there (${listNames([...protocols])})`
  }
  if (known.length === 0) return ''
  const services = new Set(known.flatMap((instance) => instance.services.flatMap(offeredNames)))
  const have = known.length === 1 ? 'instance has' : 'instances have'
  return ` (${known.length} known ${have}: ${listNames([...services])})`
}

// A method that is called by its own name alone belongs to no service that could be named.
function instanceOf(service: string, id?: string): string {
  const which = id === undefined ? '' : ` ${showName(id)}`
  return service === '' ? `instance${which}` : `instance${which} of ${showName(service)}`
}

function show(value: unknown): string {
  return typeof value === 'string' ? showName(value) : JSON.stringify(value)
}
