import { type Endpoint, parseHostPort } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import { defaultRegistryPort } from './api/messages.ts'

/**
 * The endpoints of `registry://host:port,host:port…`; the port may be left out (9999).
 * @throws RpcError `invalid_argument` that says what is wrong and shows the right form.
 */
export function parseRegistryTarget(target: string): Endpoint[] {
  const match = /^registry:\/\/([^/?#]*)\/?$/.exec(target)
  const wrong = (why: string, cause?: unknown) => noRegistry(target, 'registry://127.0.0.1:9999', why, cause)
  return parseHosts(match?.[1] ?? '', wrong, defaultRegistryPort).map((address) => ({
    protocol: 'farcall',
    address: { transport: 'tcp', ...address },
  }))
}

/** An `invalid_argument` that shows the right form. */
export function noRegistry(target: string, example: string, why: string, cause?: unknown): RpcError {
  const message = `'${target.slice(0, 200)}' is no registry${why}; for example ${example}`
  return new RpcError('invalid_argument', message, { cause })
}

/** Reads `host:port,host:port…`. @throws what `wrong` makes. */
export function parseHosts(
  list: string,
  wrong: (why: string, cause?: unknown) => RpcError,
  defaultPort?: number,
): { host: string; port: number }[] {
  const texts = list
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
  if (texts.length === 0) throw wrong('')
  return texts.map((text) => {
    const hasPort = /:\d+$/.test(text.replace(/^\[[^\]]*\]/, ''))
    const full = hasPort || defaultPort === undefined ? text : `${text}:${defaultPort}`
    try {
      return parseHostPort(full)
    } catch (cause) {
      throw wrong(`: '${full.slice(0, 100)}' is no host:port`, cause)
    }
  })
}
