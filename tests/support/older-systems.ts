import { createFarcall, type Farcall, nodeParts, silentLogger } from 'farcall'

/** A Farcall that says nothing; it speaks all that the older systems do, as every Farcall on Node. */
export const farcall: Farcall = createFarcall({ ...nodeParts, logger: silentLogger })

/** The host and port of a target such as `tcp://127.0.0.1:8089`. */
export function hostAndPort(target: string | undefined): { host: string; port: string } {
  const { hostname, port } = new URL((target ?? '').replace('tcp:', 'http:'))
  return { host: hostname, port }
}
