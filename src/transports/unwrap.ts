import type { Detect } from '../core/detect.ts'
import type { Wire } from './transport.ts'

/**
 * Something around a connection, with another connection inside: TLS, an HTTP CONNECT. The inner wire is looked at
 * again, as a new connection, at most three deep.
 */
export interface Unwrap {
  readonly name: string
  readonly detect: Detect
  /** Takes the wire over (its first bytes have been put back) and hands on what is inside. */
  unwrap(wire: Wire, again: (inner: Wire) => void): void
}
