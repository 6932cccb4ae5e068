import { createReach } from '../client/index.ts'
import { formatAddress, parseHostPort } from '../core/endpoint.ts'
import { encodeInstance, type InstanceData } from '../discovery/api/instance-data.ts'
import type { Query } from '../discovery/resolver.ts'
import { type Logger, nodeParts, type Resolver, RpcError } from '../node.ts'
import { dialTcp } from '../transports/tcp.node.ts'
import { fromUser, UsageError } from './usage-error.ts'

/** Whether a target names a registry of an older system, as `lab-registry+http://…` or `geerpc-registry+http://…`. */
export function isOlderRegistry(target: string): boolean {
  return /^[a-z][a-z0-9-]*-registry\+[a-z]+:/.test(target)
}

/** Whether it tells only of what it is asked for by name, and not of all that it has. */
export function needsName(target: string): boolean {
  return target.startsWith('lab-registry+tcp:')
}

/**
 * What looks things up there, as for clients.
 * @throws UsageError for a target or an option of it that makes no sense.
 */
export function openOlder(target: string, logger: Logger): Resolver & AsyncDisposable {
  const scheme = target.slice(0, target.indexOf(':'))
  const factory = nodeParts.resolvers.find(({ schemes }) => schemes.includes(scheme))
  if (factory === undefined) {
    const known = nodeParts.resolvers
      .flatMap(({ schemes }) => schemes.map((name) => `${name}://`))
      .filter((name) => name === 'registry://' || isOlderRegistry(name))
    throw new UsageError(`${target} is no registry that is known`, `there are: ${known.join(', ')}`)
  }
  const { clock, random, fetch } = nodeParts
  const room = { clock, random, logger, fetch, reach: createReach({ ...nodeParts, logger }) }
  const resolver = fromUser(() => factory.create(target, room))
  return Object.assign(resolver, {
    [Symbol.asyncDispose]: resolver[Symbol.asyncDispose] ?? (() => Promise.resolve()),
  })
}

/**
 * What such a registry has, asked once.
 * @throws UsageError where it has to be asked by name, and no service is named; RpcError where it does not answer.
 */
export async function listOlder(
  resolver: Resolver,
  target: string,
  { query, timeoutMs }: { readonly query: Query; readonly timeoutMs: number },
): Promise<readonly InstanceData[]> {
  checkNamed(target, query.service)
  return within(timeoutMs, target, async (signal) => {
    const snapshot = await resolver.refresh?.(query, signal)
    return [...(snapshot?.instances.values() ?? [])].map(encodeInstance)
  })
}

/** @throws UsageError for a registry that has to be asked by name, and no name. */
function checkNamed(target: string, service: string | undefined): void {
  if (service !== undefined || !needsName(target)) return
  throw new UsageError(
    `${target} tells only who offers what it is asked for`,
    'name a service or a method, as farcall list add',
  )
}

/**
 * Makes sure that somebody listens where a registry should be; how it is to be asked is for its resolver to know.
 * @throws RpcError `unavailable` that says why not.
 */
export async function checkListening(target: string, timeoutMs: number): Promise<void> {
  const place = placeOf(target)
  // What is wrong with it, the client says better.
  if (place === undefined) return
  const address = { transport: 'tcp', ...place } as const
  await within(timeoutMs, formatAddress(address), async (signal) => {
    const socket = await dialTcp(address, signal)
    socket.destroy()
  })
}

async function within<T>(ms: number, who: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const timer = setTimeout(() => {
    late.abort(new RpcError('unavailable', `${who} does not answer within ${ms} ms`, { phase: 'connect' }))
  }, ms)
  try {
    return await work(late.signal)
  } catch (thrown) {
    throw late.signal.aborted ? late.signal.reason : thrown
  } finally {
    clearTimeout(timer)
  }
}

function placeOf(target: string): { host: string; port: number } | undefined {
  const place = /:\/\/([^/?]*)/.exec(target)?.[1]
  try {
    return place === undefined ? undefined : parseHostPort(place)
  } catch {
    return undefined
  }
}
