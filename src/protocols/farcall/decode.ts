import { readText } from '../../core/bytes/text.ts'
import type { Reader } from '../../core/bytes/varint.ts'
import { type ErrorCode, errorCodes } from '../../core/code.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { Metadata } from '../../core/metadata.ts'
import type { MethodInfo } from '../../core/method-info.ts'
import { type CallHead, emptyCallHead, type MethodRef } from './encode.ts'
import { callFlags, maxNameBytes, methodFlags, methodRefs, moreCallFlags, replyFlags } from './frames.ts'

/**
 * The head of a CALL as it was read; the arguments follow where the reader then stands. `problem` is what is wrong with
 * this call alone: it is answered with that, and the connection goes on.
 */
export type ReadCall = CallHead & MethodRef & { readonly problem: RpcError | undefined }

/** One that is read into again and again: whoever keeps something of it takes it out. */
export type ReusedReadCall = { -readonly [Field in keyof ReadCall]: ReadCall[Field] }

export function emptyReadCall(): ReusedReadCall {
  return { ref: 0, service: '', method: '', ...emptyCallHead(), problem: undefined }
}

const forms = ['list', 'named', 'message'] as const

/** @throws RpcError `invalid_argument` or `resource_exhausted`; the connection cannot go on, the numbering would differ. */
export function readCallHead(
  reader: Reader,
  limits: Limits,
  into: ReusedReadCall = emptyReadCall(),
): ReadCall {
  const flags = reader.byte()
  const form = forms[flags & callFlags.formMask]
  if (form === undefined) throw new RpcError('invalid_argument', 'a call has arguments of an unknown form')
  const ref = reader.varint()
  const named = ref < methodRefs.first
  const service = named ? readName(reader) : ''
  const method = named ? readName(reader) : ''
  const timeoutMs = flags & callFlags.timeout ? reader.varint() : undefined
  const stream =
    flags & callFlags.inputStream ? (form === 'list' ? reader.varint() : readName(reader)) : undefined
  let metadata: Metadata | undefined
  let problem: RpcError | undefined
  if (flags & callFlags.metadata) {
    try {
      metadata = readMetadata(reader, limits)
    } catch (error) {
      problem = RpcError.from(error, 'invalid_argument', 'read')
    }
  }
  const more = flags & callFlags.more && problem === undefined ? reader.byte() : 0
  into.ref = ref
  into.service = service
  into.method = method
  into.form = form
  into.oneway = (flags & callFlags.oneway) !== 0
  into.timeoutMs = timeoutMs
  into.bounded = (flags & callFlags.bounded) !== 0
  into.attempt = more & moreCallFlags.attempt ? reader.varint() : 1
  into.key = more & moreCallFlags.key ? readText(reader) : undefined
  into.stream = stream
  into.metadata = metadata
  into.problem = problem
  return into
}

/** @throws RpcError for more metadata than the limits allow, or names that cannot be. Counted before it is kept. */
export function readMetadata(reader: Reader, limits: Limits): Metadata {
  const count = reader.varint()
  if (count > limits.maxMetadataEntries) {
    throw new RpcError(
      'resource_exhausted',
      `${count} metadata entries, at most ${limits.maxMetadataEntries} are allowed`,
    )
  }
  const from = reader.at
  const metadata = new Metadata()
  for (let i = 0; i < count; i++) {
    metadata.set(readText(reader), readText(reader))
    if (reader.at - from > limits.maxMetadataBytes) {
      throw new RpcError(
        'resource_exhausted',
        `metadata of more than the ${limits.maxMetadataBytes} bytes that are allowed`,
      )
    }
  }
  return metadata
}

export interface ReplyHead {
  readonly flags: number
  readonly head: Metadata | undefined
  readonly trailer: Metadata | undefined
}

const bareReplies: readonly ReplyHead[] = Array.from({ length: 16 }, (_, flags) => ({
  flags,
  head: undefined,
  trailer: undefined,
}))

export function readReplyHead(reader: Reader, limits: Limits): ReplyHead {
  const flags = reader.byte()
  // Nearly every reply: nothing but the flags, and nothing allocated for it.
  if ((flags & (replyFlags.head | replyFlags.trailer)) === 0) return bareReplies[flags & 0x0f] as ReplyHead
  const head = flags & replyFlags.head ? readMetadata(reader, limits) : undefined
  const trailer = flags & replyFlags.trailer ? readMetadata(reader, limits) : undefined
  return { flags, head, trailer }
}

export function readReason(reader: Reader): { code: ErrorCode; message: string } {
  const code = errorCodes[reader.byte() - 1] ?? 'unknown'
  return { code, message: readText(reader) }
}

const maxParams = 256

export function readMethodInfo(reader: Reader): MethodInfo {
  const flags = reader.byte()
  const info: MethodInfo = {
    idempotent: (flags & methodFlags.idempotent) !== 0,
    input: flags & methodFlags.inputStream ? 'stream' : 'values',
    output: flags & methodFlags.outputStream ? 'stream' : 'value',
  }
  if ((flags & methodFlags.params) === 0) return info
  const count = reader.varint()
  if (count > maxParams)
    throw new RpcError(
      'resource_exhausted',
      `a method with ${count} parameters, at most ${maxParams} are allowed`,
    )
  return { ...info, params: Array.from({ length: count }, () => readName(reader)) }
}

function readName(reader: Reader): string {
  const from = reader.at
  const name = readText(reader)
  if (reader.at - from > maxNameBytes + 2) {
    throw new RpcError(
      'resource_exhausted',
      `a name of ${reader.at - from} bytes, at most ${maxNameBytes} are allowed`,
    )
  }
  return name
}
