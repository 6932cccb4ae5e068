import type { Output } from '../../core/bytes/output.ts'
import type { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import type { gob } from '../../codecs/gob/index.ts'
import type { GoHeader } from './header.ts'

/** A body that was read. */
export interface GoBody {
  readonly value: unknown
}

/** How headers and bodies are written on a connection. `application/gob` and `application/json` are two. */
export interface GoCodec {
  /** One for each connection: what is learnt from one peer is of no use with another. */
  open(limits: Limits): GoCodecSession
}

/**
 * Headers and bodies in turn, both ways. Bytes are pushed in as they come; whoever pushes also reads: a header, then
 * its body or `skipBody`, until undefined or false says that bytes are missing.
 */
export interface GoCodecSession {
  /** Takes in bytes, which may be used again afterwards. */
  push(chunk: Uint8Array): void
  /** The peer sends no more: what only an end can end is whole now. */
  finish(): void
  /** Whether something has begun of which bytes are missing. */
  readonly partial: boolean
  /** Bytes that are kept of it. Default 0. */
  readonly held?: number
  /** Why nothing more can be read; undefined while all is well. */
  readonly broken: RpcError | undefined
  /** @throws RpcError for what is no header: nothing after it can be told apart. */
  readHeader(): GoHeader | undefined
  /** @throws RpcError for a body that does not decode; unless {@link broken}, what comes after it can be read. */
  readBody(type: gob.GobType | undefined): GoBody | undefined
  skipBody(): boolean
  /**
   * Writes both; a body of undefined stands for nothing: an error, or a method without arguments or result.
   * @throws RpcError for what cannot travel; `output.at` is then as it was, and the next message can be written.
   */
  write(
    header: GoHeader,
    body: { readonly value: unknown; readonly type?: gob.GobType | undefined },
    output: Output,
  ): void
}
