import type { Reader } from '../../core/bytes/varint.ts'
import type { Arguments, ArgumentsSource } from '../../core/call.ts'
import type { CodecSession } from '../../core/codec.ts'
import { RpcError } from '../../core/error.ts'
import { joinArguments } from './arguments.ts'
import type { ReadCall } from './decode.ts'

/**
 * The arguments of a call, decoded when they are first looked at: a call that is refused by a layer costs no decoding.
 * Most are looked at before the chunk that brought them is gone; the others keep a copy of their bytes.
 */
export class LazyArguments implements ArgumentsSource {
  readonly list = undefined
  readonly #codec: CodecSession
  readonly #form: ReadCall['form']
  readonly #position: ReadCall['stream']
  readonly #stream: AsyncIterable<unknown> | undefined
  #bytes: Uint8Array | undefined
  #start: number
  #end: number

  constructor(
    codec: CodecSession,
    { form, stream: position }: ReadCall,
    stream: AsyncIterable<unknown> | undefined,
    reader: Reader,
  ) {
    this.#codec = codec
    this.#form = form
    this.#position = position
    this.#stream = stream
    this.#bytes = reader.bytes
    this.#start = reader.at
    this.#end = reader.end
  }

  /** @throws RpcError `invalid_argument` for bytes that do not decode. */
  decode(): Arguments {
    const bytes = this.#bytes
    if (bytes === undefined) throw new RpcError('internal', 'the arguments were decoded before')
    this.#bytes = undefined
    try {
      const value = this.#codec.decode(bytes, this.#start, this.#end)
      return joinArguments(this.#form, value, this.#position, this.#stream)
    } catch (thrown) {
      const error = RpcError.from(thrown, 'invalid_argument')
      throw new RpcError(error.code, `the arguments cannot be read: ${error.message}`, {
        cause: error,
        phase: 'read',
      })
    }
  }

  /** The chunk is about to go: keeps what has not been looked at. */
  detach(): void {
    if (this.#bytes === undefined) return
    this.#bytes = this.#bytes.slice(this.#start, this.#end)
    this.#end -= this.#start
    this.#start = 0
  }
}
