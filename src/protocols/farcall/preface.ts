import { isErrorCode } from '../../core/code.ts'
import { RpcError, markNotExecuted } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { initialWindowBytes, maxFrameBytes, minFrameBytes } from './frames.ts'

/** The first bytes of either side: a zero byte, which no text protocol begins with, and our name. */
export const magic: Uint8Array = new TextEncoder().encode('\0FARCALL')
export const protocolVersion = 1
/** The feature of a peer that takes DEFINE frames. */
export const definitionsFeature = 'definitions'
/** The largest body of a preface. */
export const maxPrefaceBytes = 4096
const headBytes = magic.length + 4

/** What each side says of itself before anything else; a JSON object on the wire. Unknown fields are ignored. */
export interface Preface {
  /** Spoken versions, best first. A server that has chosen names one. */
  readonly versions: readonly number[]
  /** Codecs, best first. A client uses its first from the start; a server that accepts names that one. */
  readonly codecs: readonly string[]
  readonly features: readonly string[]
  readonly maxFrameBytes: number
  readonly maxMessageBytes: number
  readonly maxCalls: number
  readonly maxStreams: number
  readonly streamWindowBytes: number
  readonly connectionWindowBytes: number
  /** A server's refusal: it speaks none of what the client offers, and closes. `versions` and `codecs` list what it does. */
  readonly refused?: { readonly code: string; readonly message: string }
}

export function prefaceOf(limits: Limits, codecs: readonly string[]): Preface {
  return {
    versions: [protocolVersion],
    codecs,
    features: [definitionsFeature],
    maxFrameBytes,
    maxMessageBytes: limits.maxMessageBytes,
    maxCalls: limits.maxCalls,
    maxStreams: limits.maxStreams,
    streamWindowBytes: Math.max(limits.streamWindowBytes, initialWindowBytes),
    connectionWindowBytes: Math.max(limits.connectionWindowBytes, initialWindowBytes),
  }
}

export function encodePreface(preface: Preface): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify(preface))
  const bytes = new Uint8Array(headBytes + body.length)
  bytes.set(magic)
  new DataView(bytes.buffer).setUint32(magic.length, body.length)
  bytes.set(body, headBytes)
  return bytes
}

/**
 * Takes in bytes until the peer's preface is whole.
 * @returns the number of bytes that belonged to it and the preface, or undefined while more are needed.
 */
export class PrefaceReader {
  readonly #held = new Uint8Array(headBytes + maxPrefaceBytes)
  #length = 0

  /** @throws RpcError `invalid_argument` for bytes that are no preface. */
  push(chunk: Uint8Array): { preface: Preface; used: number } | undefined {
    const before = this.#length
    const taken = chunk.subarray(0, this.#held.length - before)
    this.#held.set(taken, before)
    this.#length += taken.length
    for (let i = before; i < Math.min(this.#length, magic.length); i++) {
      if (this.#held[i] !== magic[i])
        throw new RpcError(
          'invalid_argument',
          'the peer does not speak the farcall protocol: its first bytes are not our preface',
        )
    }
    if (this.#length < headBytes) return undefined
    const size = new DataView(this.#held.buffer).getUint32(magic.length)
    if (size > maxPrefaceBytes)
      throw new RpcError(
        'invalid_argument',
        `the preface claims ${size} bytes, at most ${maxPrefaceBytes} are allowed`,
      )
    if (this.#length < headBytes + size) return undefined
    return {
      preface: decodePreface(this.#held.subarray(headBytes, headBytes + size)),
      used: headBytes + size - before,
    }
  }
}

/** @throws RpcError `invalid_argument` that names the field. */
export function decodePreface(body: Uint8Array): Preface {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new RpcError('invalid_argument', 'the preface is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RpcError('invalid_argument', 'the preface is not a JSON object')
  const fields = value as Record<string, unknown>
  return {
    versions: listOf(fields, 'versions', (item): item is number => Number.isSafeInteger(item)),
    codecs: listOf(fields, 'codecs', (item): item is string => typeof item === 'string'),
    features: listOf(fields, 'features', (item): item is string => typeof item === 'string'),
    maxFrameBytes: numberOf(fields, 'maxFrameBytes', minFrameBytes),
    maxMessageBytes: numberOf(fields, 'maxMessageBytes', 1),
    maxCalls: numberOf(fields, 'maxCalls', 1),
    maxStreams: numberOf(fields, 'maxStreams', 0),
    streamWindowBytes: numberOf(fields, 'streamWindowBytes', initialWindowBytes),
    connectionWindowBytes: numberOf(fields, 'connectionWindowBytes', initialWindowBytes),
    ...refusalOf(fields['refused']),
  }
}

/** The error of a client whose peer refused it; nothing was executed. */
export function refusalError(preface: Preface): RpcError {
  const { code, message } = preface.refused ?? { code: 'unavailable', message: 'refused' }
  return markNotExecuted(
    new RpcError(isErrorCode(code) ? code : 'unavailable', message, { phase: 'negotiate' }),
  )
}

function listOf<T>(
  fields: Record<string, unknown>,
  name: string,
  is: (item: unknown) => item is T,
): readonly T[] {
  const value = fields[name] ?? []
  if (Array.isArray(value) && value.length <= 64 && value.every(is)) return value
  throw new RpcError(
    'invalid_argument',
    `the preface's '${name}' is not a list of at most 64 of the right kind`,
  )
}

function numberOf(fields: Record<string, unknown>, name: string, least: number): number {
  const value = fields[name]
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number
  throw new RpcError(
    'invalid_argument',
    `the preface's '${name}' must be an integer of at least ${least}, got ${JSON.stringify(value)?.slice(0, 40)}`,
  )
}

function refusalOf(value: unknown): Pick<Preface, 'refused'> {
  if (typeof value !== 'object' || value === null) return {}
  const { code, message } = value as { code?: unknown; message?: unknown }
  return { refused: { code: String(code), message: String(message).slice(0, 1024) } }
}
