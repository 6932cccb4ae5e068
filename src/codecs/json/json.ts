import { writeUtf8 } from '#platform'
import type { Output } from '../../core/bytes/output.ts'
import { readStrictUtf8 } from '../../core/bytes/strict-utf8.ts'
import { utf8Length } from '../../core/bytes/text.ts'
import type { Codec, CodecSession } from '../../core/codec.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { explainFailure } from '../../core/unsendable.ts'
import { jsonDepth } from './depth.ts'
import { isPlainJson } from './plain.ts'
import { revive } from './revive.ts'
import { tooLarge, writeTagged } from './write.ts'

/**
 * JSON that people can read and every language has; what JSON has not travels in tagged objects such as
 * `{"$date":"2026-01-02T03:04:05.006Z"}`. SPEC.md lists them.
 */
export const jsonCodec: Codec = { name: 'json', sequential: false, open: (limits) => new JsonSession(limits) }

class JsonSession implements CodecSession {
  readonly #limits: Limits
  #busy = false

  constructor(limits: Limits) {
    this.#limits = limits
  }

  encode(value: unknown, output: Output): void {
    if (this.#busy) {
      throw new RpcError(
        'failed_precondition',
        'a getter or toJSON of a value that is being sent must not itself send',
      )
    }
    this.#busy = true
    let text: string
    try {
      text = this.#stringify(value)
    } finally {
      this.#busy = false
    }
    const { maxMessageBytes } = this.#limits
    if (text.length > maxMessageBytes) throw tooLarge(this.#limits)
    // Room for ASCII and a little more. If something is left over, all has been written; else it is measured.
    output.ensure(text.length + 16)
    let length = writeUtf8(output.bytes, text, output.at)
    if (output.at + length + 4 > output.bytes.length) {
      length = utf8Length(text)
      if (length > maxMessageBytes) throw tooLarge(this.#limits)
      output.ensure(length)
      writeUtf8(output.bytes, text, output.at)
    }
    if (length > maxMessageBytes) throw tooLarge(this.#limits)
    output.at += length
  }

  decode(bytes: Uint8Array, start: number, end: number): unknown {
    const { maxMessageBytes, maxDepth } = this.#limits
    if (end - start > maxMessageBytes) {
      throw new RpcError(
        'resource_exhausted',
        `a message of ${end - start} bytes, at most ${maxMessageBytes} are allowed`,
      )
    }
    // One of our levels is three of JSON's at most: {"$map":[[key,value]]}.
    const depth = jsonDepth(bytes, { start, end }, maxDepth * 3)
    const text = depth > maxDepth * 3 ? '' : readStrictUtf8(bytes, start, end)
    // A tag begins with a `$`, which may be written as an escape.
    const tagged = text.includes('"$') || text.includes('\\u0024')
    if (depth > (tagged ? maxDepth * 3 : maxDepth)) {
      throw new RpcError('resource_exhausted', `the message is nested deeper than ${maxDepth} levels`)
    }
    const value = parse(text)
    return tagged ? revive(value, maxDepth) : value
  }

  #stringify(value: unknown): string {
    const { maxDepth, maxMessageBytes } = this.#limits
    try {
      if (isPlainJson(value, { depth: maxDepth, bytes: maxMessageBytes })) return JSON.stringify(value)
      return writeTagged(value, this.#limits)
    } catch (thrown) {
      throw explainFailure(thrown, value, maxDepth)
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message.slice(0, 200) : 'unknown'
    throw new RpcError('invalid_argument', `the message is no valid JSON: ${problem}`, { cause })
  }
}
