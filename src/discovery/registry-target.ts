import { type Endpoint, parseHostPort } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import { defaultRegistryPort } from './api/messages.ts'

/**
 * The endpoints of `registry://host:port,host:port…`; the port may be left out (9999).
 * @throws RpcError `invalid_argument` that says what is wrong and shows the right form.
 */
export function parseRegistryTarget(target: string): Endpoint[] {
  const match = /^registry:\/\/([^/?#]*)\/?$/.exec(target)
  const texts = (match?.[1] ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
  if (texts.length === 0) {
    const message = `'${target.slice(0, 200)}' is no registry; for example registry://127.0.0.1:9999`
    throw new RpcError('invalid_argument', message)
  }
  return texts.map((text) => {
    const hasPort = /:\d+$/.test(text.replace(/^\[[^\]]*\]/, ''))
    const address = readHostPort(hasPort ? text : `${text}:${defaultRegistryPort}`, target)
    return { protocol: 'farcall', address: { transport: 'tcp', ...address } }
  })
}

function readHostPort(text: string, target: string): { host: string; port: number } {
  try {
    return parseHostPort(text)
  } catch (cause) {
    const message = `'${target.slice(0, 200)}' is no registry: '${text.slice(0, 100)}' is no host:port; for example registry://127.0.0.1:9999`
    throw new RpcError('invalid_argument', message, { cause })
  }
}
