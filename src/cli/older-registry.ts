import { formatAddress, formatHostPort, parseHostPort } from '../core/endpoint.ts'
import { RpcError } from '../node.ts'
import { dialTcp } from '../transports/tcp.node.ts'
import { UsageError } from './usage-error.ts'

/** Whether a target names a registry of an older system, as `lab-registry+http://…` or `geerpc-registry+http://…`. */
export function isOlderRegistry(target: string): boolean {
  return /^[a-z][a-z0-9-]*-registry\+[a-z]+:/.test(target)
}

/** Why a command that lists or watches has no use for it. */
export function notOurs(target: string): UsageError {
  const place = placeOf(target)
  const where = place === undefined ? '127.0.0.1:9999' : formatHostPort(place.host, place.port)
  return new UsageError(
    `${target} names a registry of an older system: calls go through it, but only Farcall's own can be listed or watched`,
    `if a registry of Farcall runs there: --registry registry://${where}`,
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
  const late = new AbortController()
  const timer = setTimeout(() => {
    const message = `${formatAddress(address)} does not answer within ${timeoutMs} ms`
    late.abort(new RpcError('unavailable', message, { phase: 'connect' }))
  }, timeoutMs)
  try {
    const socket = await dialTcp(address, late.signal)
    socket.destroy()
  } finally {
    clearTimeout(timer)
  }
}

function placeOf(target: string): { host: string; port: number } | undefined {
  const place = /:\/\/([^/]*)/.exec(target)?.[1]
  try {
    return place === undefined ? undefined : parseHostPort(place)
  } catch {
    return undefined
  }
}
