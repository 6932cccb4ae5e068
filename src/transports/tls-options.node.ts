import type { Clock } from '../core/clock.ts'
import { RpcError } from '../core/error.ts'
import type { FlushPolicy } from './output.ts'

/** Text or bytes in PEM. */
export type Pem = string | Uint8Array

/** What both sides of TLS can be given. The lowest version is TLS 1.2. */
export interface TlsCommonOptions {
  /** Who is trusted to sign the peer's certificate. Default: the authorities that come with Node. */
  readonly ca?: Pem | readonly Pem[] | undefined
  /** When frames leave. Default `prompt`. */
  readonly flushPolicy?: FlushPolicy | undefined
  /** How long a handshake may take. Default 10 s. */
  readonly handshakeTimeoutMs?: number | undefined
  /** Default: the machine's. */
  readonly clock?: Clock | undefined
}

export interface TlsServerOptions extends TlsCommonOptions {
  /** Our certificate, with those between it and its authority. */
  readonly cert: Pem
  readonly key: Pem
  /**
   * `no` (the default): clients are not asked. `optional`: `peer.tls` tells whether one was shown and is trusted.
   * `required`: without a trusted one there is no connection.
   */
  readonly requestClientCert?: 'no' | 'optional' | 'required' | undefined
  /** The protocols that may be negotiated, best first. Default `farcall` and `http/1.1`. */
  readonly alpn?: readonly string[] | undefined
  /** Told of each handshake that failed, and why. Default: nobody. */
  readonly report?: ((error: RpcError) => void) | undefined
}

export interface TlsClientOptions extends TlsCommonOptions {
  /** Our certificate, where the server asks for one. */
  readonly cert?: Pem | undefined
  readonly key?: Pem | undefined
  /** The name that the server's certificate must be for. Default: the host that is dialled. */
  readonly servername?: string | undefined
  /** The protocols that we offer. Default: the names of the one that is spoken, where it has any. */
  readonly alpn?: readonly string[] | undefined
  /** Takes any certificate, so that anyone in between can read and change everything. For trying things out only. */
  readonly dangerouslyInsecure?: boolean | undefined
}

/** For Node, which wants Buffers. */
export function pem(given: Pem): string | Buffer {
  return typeof given === 'string' ? given : Buffer.from(given)
}

export function pems(given: Pem | readonly Pem[] | undefined): (string | Buffer)[] | undefined {
  if (given === undefined) return undefined
  return typeof given === 'string' || given instanceof Uint8Array ? [pem(given)] : given.map(pem)
}

/** Says which of the given certificates and keys cannot be used. */
export function badCertificate(thrown: unknown): RpcError {
  const { message } = RpcError.from(thrown)
  const hint =
    'cert, key and ca take PEM text (-----BEGIN …), not the name of a file, and the key must be that of cert'
  return new RpcError('invalid_argument', `this certificate cannot be used: ${message}; ${hint}`, {
    cause: thrown,
  })
}
