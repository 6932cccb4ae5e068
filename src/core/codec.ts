import type { Output } from './bytes/output.ts'
import type { Limits } from './limits.ts'

/** How one value becomes bytes. `msgpack` and `json` are codecs. */
export interface Codec {
  readonly name: string
  /** True where a message can only be decoded after all that came before it (gob). */
  readonly sequential: boolean
  /** One for each session: what it has learnt of one peer's shapes is of no use with another. */
  open(limits: Limits, options?: CodecOptions): CodecSession
}

export interface CodecOptions {
  /** Whether the peer takes definitions; where it does not, `encode` makes none. Default true. */
  readonly definitions?: boolean
}

export interface CodecSession {
  /**
   * Writes one value at `output.at`.
   * @throws RpcError `invalid_argument` that names the path to what cannot travel; `output.at` is then as it was.
   */
  encode(value: unknown, output: Output, type?: unknown): void
  /**
   * Reads the one value that fills `bytes` from `start` to `end`. Nothing in the result refers to `bytes`.
   * @throws RpcError `invalid_argument` for bytes that are no such value, `resource_exhausted` beyond a limit.
   */
  decode(bytes: Uint8Array, start: number, end: number, type?: unknown): unknown
  /**
   * What the last `encode` made up and the peer must know before it can decode: to be sent in a message of its own,
   * before. It is asked for once after each `encode`; undefined is the normal answer.
   */
  takeDefinitions?(): Uint8Array | undefined
  /** Takes in what the peer's `takeDefinitions` gave. */
  define?(bytes: Uint8Array, start: number, end: number): void
}
