import type { Output } from '../../core/bytes/output.ts'
import { writeText } from '../../core/bytes/text.ts'
import { writeVarint } from '../../core/bytes/varint.ts'
import { errorCodes } from '../../core/code.ts'
import type { RpcError } from '../../core/error.ts'
import type { Metadata } from '../../core/metadata.ts'
import type { MethodInfo } from '../../core/method-info.ts'
import type { frameTypes } from './frames.ts'
import {
  callFlags,
  type FrameType,
  frameHeadBytes,
  methodFlags,
  methodRefs,
  moreCallFlags,
  replyFlags,
} from './frames.ts'

// A frame is written in place: begin, then its parts, then the length is put in by `endFrame`.

/** Leaves room for the length, writes type and id. Returns where the frame starts. */
export function beginFrame(output: Output, type: number, id: number): number {
  output.ensure(frameHeadBytes + 8)
  const start = output.at
  output.bytes[start + 4] = type
  output.at = start + frameHeadBytes
  if (id < 0x80) output.bytes[output.at++] = id
  else writeVarint(output, id)
  return start
}

export function endFrame(output: Output, start: number): void {
  const { bytes } = output
  const length = output.at - start - 4
  bytes[start] = length >>> 24
  bytes[start + 1] = length >>> 16
  bytes[start + 2] = length >>> 8
  bytes[start + 3] = length
}

/** How a method is named in a CALL: by its number, or with its names (`define` gives it the next number). */
export interface MethodRef {
  readonly ref: number
  readonly service: string
  readonly method: string
}

/** What stands before the arguments of a CALL. */
export interface CallHead {
  readonly form: 'list' | 'named' | 'message'
  readonly oneway: boolean
  /** Milliseconds; undefined for none. */
  readonly timeoutMs: number | undefined
  readonly bounded: boolean
  readonly attempt: number
  readonly key: string | undefined
  /** Which argument is the stream: its position, or its name where arguments go by name. */
  readonly stream: number | string | undefined
  readonly metadata: Metadata | undefined
}

/** One that is filled in again and again: whoever keeps something of it takes it out. */
export type ReusedCallHead = { -readonly [Field in keyof CallHead]: CallHead[Field] }

/** The head of a call about which there is nothing to say. */
export function emptyCallHead(): ReusedCallHead {
  return {
    form: 'list',
    oneway: false,
    timeoutMs: undefined,
    bounded: false,
    attempt: 1,
    key: undefined,
    stream: undefined,
    metadata: undefined,
  }
}

export function writeCallHead(output: Output, method: MethodRef, head: CallHead): void {
  const more =
    (head.attempt > 1 ? moreCallFlags.attempt : 0) | (head.key !== undefined ? moreCallFlags.key : 0)
  const metadata = head.metadata !== undefined && head.metadata.size > 0 ? head.metadata : undefined
  output.ensure(1)
  output.bytes[output.at++] =
    callFlags[head.form] |
    (head.stream !== undefined ? callFlags.inputStream : 0) |
    (head.oneway ? callFlags.oneway : 0) |
    (head.timeoutMs !== undefined ? callFlags.timeout : 0) |
    (head.bounded ? callFlags.bounded : 0) |
    (metadata !== undefined ? callFlags.metadata : 0) |
    (more !== 0 ? callFlags.more : 0)
  writeVarint(output, method.ref)
  if (method.ref < methodRefs.first) {
    writeText(output, method.service)
    writeText(output, method.method)
  }
  if (head.timeoutMs !== undefined) writeVarint(output, head.timeoutMs)
  if (typeof head.stream === 'number') writeVarint(output, head.stream)
  else if (typeof head.stream === 'string') writeText(output, head.stream)
  if (metadata !== undefined) writeMetadata(output, metadata)
  if (more === 0) return
  output.ensure(1)
  output.bytes[output.at++] = more
  if (head.attempt > 1) writeVarint(output, head.attempt)
  if (head.key !== undefined) writeText(output, head.key)
}

export function writeMetadata(output: Output, metadata: Metadata): void {
  writeVarint(output, metadata.size)
  for (const [name, value] of metadata) {
    writeText(output, name)
    writeText(output, value)
  }
}

/** The flags byte of REPLY, HEAD, END and ERROR, and the metadata that it announces. */
export function writeReplyHead(
  output: Output,
  flags: number,
  head: Metadata | undefined,
  trailer: Metadata | undefined,
): void {
  const hasHead = head !== undefined && head.size > 0
  const hasTrailer = trailer !== undefined && trailer.size > 0
  output.ensure(1)
  output.bytes[output.at++] = flags | (hasHead ? replyFlags.head : 0) | (hasTrailer ? replyFlags.trailer : 0)
  if (hasHead) writeMetadata(output, head)
  if (hasTrailer) writeMetadata(output, trailer)
}

/** Code and message, as ERROR, CANCEL and CLOSE carry them. */
export function writeReason(output: Output, reason: RpcError): void {
  output.ensure(1)
  output.bytes[output.at++] = errorCodes.indexOf(reason.code) + 1
  writeText(output, boundedText(reason.message))
}

/** What ERROR carries beside the reason, for the codec; undefined where there is nothing. */
export function errorExtra(error: RpcError): Record<string, unknown> | undefined {
  if (error.reason === undefined && error.details === undefined && error.metadata === undefined)
    return undefined
  return {
    ...(error.reason !== undefined && { reason: error.reason }),
    ...(error.details !== undefined && { details: error.details }),
    ...(error.metadata !== undefined && { metadata: error.metadata }),
  }
}

export function writeMethodInfo(output: Output, info: MethodInfo): void {
  output.ensure(1)
  output.bytes[output.at++] =
    (info.idempotent ? methodFlags.idempotent : 0) |
    (info.input === 'stream' ? methodFlags.inputStream : 0) |
    (info.output === 'stream' ? methodFlags.outputStream : 0) |
    (info.params !== undefined ? methodFlags.params : 0)
  if (info.params === undefined) return
  writeVarint(output, info.params.length)
  for (const name of info.params) writeText(output, name)
}

/** Writes a frame that has only an id, and for CREDIT a number. */
export function writeSmallFrame(output: Output, type: FrameType, id: number, value?: number): void {
  const start = beginFrame(output, type, id)
  if (value !== undefined) writeVarint(output, value)
  endFrame(output, start)
}

/** PING and PONG: eight bytes that the answer repeats. */
export function writePing(
  output: Output,
  type: typeof frameTypes.ping | typeof frameTypes.pong,
  payload: Uint8Array,
): void {
  const start = beginFrame(output, type, 0)
  output.ensure(payload.length)
  output.bytes.set(payload, output.at)
  output.at += payload.length
  endFrame(output, start)
}

// Long enough for any message a person reads; without a bound an error could outgrow a frame.
const maxReasonLength = 8192

function boundedText(text: string): string {
  return text.length > maxReasonLength ? `${text.slice(0, maxReasonLength)}…` : text
}
