import { RpcError } from './error.ts'

// How endpoints are written beside `protocol+transport:…`: a protocol alone, which then is spoken over TCP, and the
// spellings of the older Go clients. A name on the right is that of a protocol.
const schemes: Readonly<Record<string, string>> = Object.freeze({
  geerpc: 'geerpc+tcp',
  // A CONNECT first, on the path that each of the systems has.
  'geerpc+http': 'geerpc-http+tcp',
  'myrpc+http': 'myrpc-http+tcp',
  'net-rpc': 'net-rpc+tcp',
  'net-rpc+http': 'net-rpc-http+tcp',
  'json-rpc': 'json-rpc+tcp',
  'json-rpc-1': 'json-rpc-1+tcp',
  'lab-json': 'lab-json+tcp',
  'lab-protobuf': 'lab-protobuf+tcp',
  http: 'http+tcp',
  https: 'http+tls',
})

// `XDial` of geerpc and MyRPC takes `protocol@addr`.
const olderSchemes: Readonly<Record<string, string>> = Object.freeze({
  tcp: 'geerpc+tcp://',
  http: 'geerpc-http+tcp://',
  unix: 'geerpc+unix:',
})

/** For the error about a text that is none of all these. */
export const alsoSpelled = `or with ${Object.keys(schemes).slice(0, 4).join(', ')}… and ://; older clients write protocol@addr (tcp@, http@, unix@)`

/** Whether a text is written in one of the other spellings, right or wrong. */
export function isSpelledOtherwise(text: string): boolean {
  return shortScheme(text) !== undefined || isOlder(text)
}

/**
 * The same in full: `geerpc+tcp://host:port` for `geerpc://host:port` and `tcp@host:port`. What is no other spelling is
 * given back as it is.
 * @throws RpcError `invalid_argument` for `protocol@addr` with an unknown protocol, or more than one `@`.
 */
export function spelledOut(text: string): string {
  const scheme = shortScheme(text)
  if (scheme !== undefined) return `${schemes[scheme]}${text.slice(scheme.length)}`
  if (!isOlder(text)) return text
  const [protocol = '', address = '', ...more] = text.split('@')
  const full = Object.hasOwn(olderSchemes, protocol) ? olderSchemes[protocol] : undefined
  if (full !== undefined && address !== '' && more.length === 0) {
    // Go writes a listener at every address as :port where it is told to dial it.
    return full + (address.startsWith(':') ? `localhost${address}` : address)
  }
  throw new RpcError(
    'invalid_argument',
    `wrong format '${text.slice(0, 200)}', expect protocol@addr, for example tcp@127.0.0.1:9999; the protocol is tcp, http or unix`,
  )
}

function shortScheme(text: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+-]*):\/\//.exec(text)?.[1]
  return scheme !== undefined && Object.hasOwn(schemes, scheme) ? scheme : undefined
}

// Nothing else has an @ and no scheme before it.
function isOlder(text: string): boolean {
  return text.includes('@') && !/^[a-z][a-z0-9+.-]*:/i.test(text)
}
