import { RpcError } from '../../core/error.ts'
import { isLocalPeer } from '../../core/peer.ts'
import { sameSecret } from '../../core/same-secret.ts'
import type { HttpRequest, HttpResponse } from '../../protocols/http-route.ts'

/** Why a request may not see what the pages show; undefined where it may. */
export type Access = (request: HttpRequest) => HttpResponse | undefined

// Whoever comes through a proxy on this machine looks as if he were here; these are the fields that proxies add.
const proxyFields = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
]

/**
 * Without a token only this machine may look, and not through a proxy that says that it is one; with a token, whoever
 * sends it as `Authorization: Bearer …`, from anywhere.
 * @throws RpcError `invalid_argument` for a token that is empty or holds spaces.
 */
export function createAccess(token: string | undefined): Access {
  if (token === undefined) {
    return ({ peer, headers }) =>
      isLocalPeer(peer) && !proxyFields.some((name) => headers.has(name))
        ? undefined
        : refusal(
            403,
            'permission_denied',
            "only programs on the server's own machine may see this; to allow others, serve with http: { debugToken: '…' }, or on the command line with FARCALL_DEBUG_TOKEN",
          )
  }
  if (token === '' || /\s/.test(token))
    throw new RpcError('invalid_argument', 'http.debugToken must be a text without spaces, and not empty')
  return ({ headers }) => {
    const given = /^bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1]
    if (given === undefined) {
      return refusal(401, 'unauthenticated', 'a token is needed: send it as Authorization: Bearer …', {
        'www-authenticate': 'Bearer',
      })
    }
    return sameSecret(given, token)
      ? undefined
      : refusal(401, 'unauthenticated', 'the token is not accepted', { 'www-authenticate': 'Bearer' })
  }
}

function refusal(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: `${JSON.stringify({ code, message })}\n`,
  }
}
