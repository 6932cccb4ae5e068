import type { Call } from '../core/call.ts'
import { RpcError } from '../core/error.ts'
import { isPending, type Layer } from '../core/layer.ts'
import { refuse } from '../core/settle.ts'
import { sameSecret } from '../core/same-secret.ts'

/** Where the credential travels; the protocols that know headers carry it as that header. */
const header = 'authorization'
const scheme = /^bearer +(\S+) *$/i

export interface RequireTokenOptions {
  /** The one token that is accepted; its bearer's identity is `'bearer'`. */
  readonly token?: string
  /** Several, by the name of who holds them; that name is the identity. Two at once let a token be exchanged. */
  readonly tokens?: Readonly<Record<string, string>>
  /** Decides by itself: gives the identity, or undefined (null, false) for a token that is not accepted. May throw an RpcError. */
  readonly verify?: (token: string, call: Call) => unknown
  /**
   * Protocols by which calls come through without a token, by name: for peers of older systems, which cannot send one.
   * Whoever can connect can speak them. Their calls have no identity. Default: none.
   */
  readonly tokenless?: readonly string[] | undefined
}

/**
 * A client's layer: sends a token with every call that has no `authorization` of its own. The token may be a function,
 * also an async one, that is asked for each call.
 */
export function sendToken(token: string | (() => string | PromiseLike<string>)): Layer {
  return (next) => (call) => {
    if (call.metadata.has(header)) return next(call)
    const given = typeof token === 'string' ? token : token()
    const send = (text: string) => {
      call.metadata.set(header, `Bearer ${text}`)
      return next(call)
    }
    return isPending(given) ? given.then((text) => send(text)) : send(given)
  }
}

/**
 * A server's layer: lets only calls through that bring an accepted token, and sets `call.identity` to whose it is.
 * Others are refused as `unauthenticated` before their arguments are decoded. Tokens are compared in a time that does
 * not tell how much of them was right.
 * @throws RpcError `invalid_argument` if there is not exactly one of the options, or a token is empty.
 */
export function requireToken(options: RequireTokenOptions): Layer {
  const verify = resolveVerify(options)
  const tokenless = new Set(options.tokenless)
  return (next) => (call) => {
    const token = bearerOf(call)
    if (token === undefined && tokenless.has(call.peer?.protocol ?? '')) return next(call)
    if (token === undefined)
      return refuse(
        call,
        unauthenticated(call, 'a token is required: send it as metadata authorization: Bearer …'),
      )
    const admit = (identity: unknown) => {
      if (identity === undefined || identity === null || identity === false) {
        return refuse(call, unauthenticated(call, 'the token is not accepted'))
      }
      call.identity = identity
      return next(call)
    }
    const identity = verify(token, call)
    return isPending(identity) ? identity.then(admit) : admit(identity)
  }
}

function resolveVerify({
  token,
  tokens,
  verify,
}: RequireTokenOptions): (token: string, call: Call) => unknown {
  if ([token, tokens, verify].filter((given) => given !== undefined).length !== 1) {
    throw new RpcError('invalid_argument', 'requireToken needs exactly one of token, tokens, verify')
  }
  if (verify !== undefined) return verify
  const holders = Object.entries(tokens ?? { bearer: token as string })
  for (const [name, secret] of holders) {
    if (typeof secret === 'string' && secret !== '' && !/\s/.test(secret)) continue
    throw new RpcError(
      'invalid_argument',
      `requireToken: the token of '${name}' must be a text without spaces, and not empty`,
    )
  }
  return (given) => {
    let found: string | undefined
    // All are compared, always: the time does not tell which one it was.
    for (const [name, secret] of holders) if (sameSecret(given, secret)) found = name
    return found
  }
}

function bearerOf(call: Call): string | undefined {
  const value = call.givenMetadata?.get(header)
  return value === undefined ? undefined : scheme.exec(value)?.[1]
}

function unauthenticated(call: Call, why: string): RpcError {
  return new RpcError('unauthenticated', `${call.name}: ${why}`)
}
