import { RpcError } from './error.ts'
import { alsoSpelled, isSpelledOtherwise, spelledOut } from './spellings.ts'

/** Where bytes go: what a transport dials and listens at. */
export type Address =
  | { readonly transport: 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly transport: 'unix'; readonly path: string }
  | { readonly transport: 'memory'; readonly name: string }

/** One way to reach a server: a protocol over a transport at an address. */
export interface Endpoint {
  readonly protocol: string
  readonly address: Address
}

/**
 * Reads an endpoint: `tcp://host:port`, `tls://host:port`, `unix:/path`, `memory:name`, each with an optional protocol
 * before it (`farcall+tcp://`, `geerpc+unix:`). IPv6 addresses stand in brackets. Without a protocol it is `farcall`. Other
 * spellings, `geerpc://host:port` and `tcp@host:port` among them, are those of `spellings.ts`.
 * @throws RpcError `invalid_argument` that says what is wrong and shows the right form.
 */
export function parseEndpoint(text: string): Endpoint {
  const scheme = schemeOf(spelledOut(text))
  if (scheme === undefined)
    throw wrong(text, `it should begin with tcp://, tls://, unix: or memory:, ${alsoSpelled}`)
  const { protocol, transport, rest } = scheme
  switch (transport) {
    case 'unix':
      if (rest === '') throw wrong(text, 'the path is missing')
      return { protocol, address: { transport, path: rest.replace(/^\/\/(?=\/)/, '') } }
    case 'memory':
      if (rest === '') throw wrong(text, 'the name is missing')
      return { protocol, address: { transport, name: rest } }
    case 'tcp':
    case 'tls':
      if (!rest.startsWith('//')) throw wrong(text, `after ${transport}: should come //host:port`)
      return { protocol, address: { transport, ...parseHostPort(rest.slice(2), text) } }
  }
}

/** Whether a text is meant as an endpoint, right or wrong, and not as another kind of target (`registry://…`). */
export function isEndpoint(text: string): boolean {
  return isSpelledOtherwise(text) || schemeOf(text) !== undefined
}

type Scheme = {
  readonly protocol: string
  readonly transport: Address['transport']
  readonly rest: string
}

function schemeOf(text: string): Scheme | undefined {
  const scheme = /^(?:([a-z][a-z0-9-]*)\+)?(tcp|tls|unix|memory):/.exec(text)
  if (scheme === null) return undefined
  const [head, protocol = 'farcall', transport] = scheme
  return { protocol, transport: transport as Address['transport'], rest: text.slice(head.length) }
}

/** Reads `host:port`, with IPv6 in brackets. */
export function parseHostPort(text: string, shown: string = text): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]/@?#]*)):(\d{1,5})$/.exec(text.replace(/\/$/, ''))
  if (match === null)
    throw wrong(
      shown,
      text.includes(':') ? 'it should end in host:port, IPv6 as [::1]:port' : 'the port is missing',
    )
  const host = match[1] ?? match[2] ?? ''
  const port = Number(match[3])
  if (host === '') throw wrong(shown, 'the host is missing')
  if (port > 65_535) throw wrong(shown, `port ${port} is above 65535`)
  return { host, port }
}

/**
 * Whether a host (`0.0.0.0`, `::`, `::ffff:0.0.0.0`) means every address of a machine to who listens there, and nothing to
 * who connects.
 */
export function isWildcardHost(host: string): boolean {
  return /^(::ffff:)?[0:.]+$/i.test(host)
}

/** The inverse of {@link parseEndpoint}; the protocol is left out where it is ours. */
export function formatEndpoint(endpoint: Endpoint): string {
  const prefix = endpoint.protocol === 'farcall' ? '' : `${endpoint.protocol}+`
  return prefix + formatAddress(endpoint.address)
}

export function formatAddress(address: Address): string {
  switch (address.transport) {
    case 'unix':
      return `unix:${address.path}`
    case 'memory':
      return `memory:${address.name}`
    case 'tcp':
    case 'tls':
      return `${address.transport}://${formatHostPort(address.host, address.port)}`
  }
}

export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function wrong(text: string, why: string): RpcError {
  return new RpcError(
    'invalid_argument',
    `'${text.slice(0, 200)}' is no endpoint: ${why}; for example tcp://127.0.0.1:8089`,
  )
}
