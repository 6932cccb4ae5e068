import { writeUtf8 } from '#platform'
import type { gob } from '../../codecs/gob/index.ts'
import type { Output } from '../../core/bytes/output.ts'
import { utf8Length } from '../../core/bytes/text.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import type { GoBody, GoCodec, GoCodecSession, GoHeader } from '../go-rpc/index.ts'
import { readJson } from '../json-head/read-json.ts'
import { writeJson } from '../json-head/write-json.ts'
import { fromGoJson, toGoJson } from './json-types.ts'
import { JsonValues, type JsonRange } from './json-values.ts'
import { membersOf } from './option.ts'

/** JSON as Go's `json.Encoder` writes it: a header, a body, each followed by a newline. Any value can be a body. */
export const jsonGoCodec: GoCodec = { open: (limits) => new JsonSession(limits) }

class JsonSession implements GoCodecSession {
  readonly #limits: Limits
  readonly #values: JsonValues
  #malformed: RpcError | undefined = undefined

  constructor(limits: Limits) {
    const { maxMessageBytes: maxBytes, maxDepth } = limits
    this.#limits = limits
    this.#values = new JsonValues({ maxBytes, maxDepth })
  }

  get partial(): boolean {
    return this.#values.partial
  }

  get held(): number {
    return this.#values.bytes.length
  }

  get broken(): RpcError | undefined {
    return this.#malformed ?? this.#values.broken
  }

  push(chunk: Uint8Array): void {
    this.#values.push(chunk)
  }

  finish(): void {
    this.#values.finish()
  }

  readHeader(): GoHeader | undefined {
    const range = this.#values.next()
    if (range === undefined) return undefined
    try {
      return readHeader(this.#parse(range))
    } catch (thrown) {
      const { code, message } = RpcError.from(thrown, 'invalid_argument')
      this.#malformed = new RpcError(code, `a header cannot be read: ${message}`, { phase: 'read' })
      throw this.#malformed
    }
  }

  readBody(type: gob.GobType | undefined): GoBody | undefined {
    const range = this.#values.next()
    if (range === undefined) return undefined
    const value = this.#parse(range)
    return { value: type === undefined ? value : fromGoJson(value, type) }
  }

  skipBody(): boolean {
    return this.#values.next() !== undefined
  }

  write(
    { serviceMethod, seq, error }: GoHeader,
    body: Parameters<GoCodecSession['write']>[1],
    output: Output,
  ): void {
    const { maxMessageBytes, maxDepth } = this.#limits
    const writing = { style: 'compact', maxLength: maxMessageBytes, maxDepth } as const
    const header = writeJson({ ServiceMethod: serviceMethod, Seq: seq, Error: error }, writing)
    const { value, type } = body
    const shown = type === undefined ? value : toGoJson(value, type, maxDepth)
    const text = `${header}\n${writeJson(shown === undefined ? {} : shown, writing)}\n`
    output.ensure(utf8Length(text))
    output.at += writeUtf8(output.bytes, text, output.at)
  }

  #parse(range: JsonRange): unknown {
    if (range.problem !== undefined) throw range.problem
    return readJson(this.#values.bytes, range)
  }
}

function readHeader(value: unknown): GoHeader {
  const members = membersOf(value)
  if (members === undefined) throw new RpcError('invalid_argument', 'it is no JSON object')
  const serviceMethod = members.get('servicemethod') ?? ''
  const seq = members.get('seq') ?? 0
  const error = members.get('error') ?? ''
  if (typeof serviceMethod !== 'string') throw new RpcError('invalid_argument', 'ServiceMethod is no text')
  if (typeof error !== 'string') throw new RpcError('invalid_argument', 'Error is no text')
  if (!isSeq(seq)) throw new RpcError('invalid_argument', 'Seq is no whole number from 0 up')
  return { serviceMethod, seq, error }
}

function isSeq(value: unknown): value is number | bigint {
  return typeof value === 'bigint' ? value >= 0n : Number.isSafeInteger(value) && (value as number) >= 0
}
