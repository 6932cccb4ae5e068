import { RpcError } from '../../core/error.ts'
import type { Peer } from '../../core/peer.ts'
import { sameSecret } from '../../core/same-secret.ts'
import type { HttpRequest, HttpResponse } from '../../protocols/http-route.ts'

/** Why a request may not see what the pages show; undefined where it may. */
export type Access = (request: HttpRequest) => HttpResponse | undefined

/**
 * Without a token only this machine may look; with one, whoever sends it as `Authorization: Bearer …`, from anywhere.
 * @throws RpcError `invalid_argument` for a token that is empty or holds spaces.
 */
export function createAccess(token: string | undefined): Access {
  if (token === undefined) {
    return ({ peer }) =>
      isLocal(peer)
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

/** Whether the other end of a connection is on this machine. */
export function isLocal({ transport, address }: Peer): boolean {
  if (transport === 'unix' || transport === 'memory') return true
  return /^(?:127(?:\.\d{1,3}){3}|\[::1\]|\[::ffff:127(?:\.\d{1,3}){3}\]):\d+$/.test(address)
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
