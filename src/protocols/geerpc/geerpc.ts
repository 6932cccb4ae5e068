import { RpcError } from '../../core/error.ts'
import {
  acceptGo,
  type Dialect,
  dialGo,
  type GoCodec,
  goCapabilities,
  gobCodecWith,
  headerType,
  resolveConnectPath,
} from '../go-rpc/index.ts'
import { detectJsonKey } from '../json-head/keys.ts'
import type { Protocol } from '../protocol.ts'
import { jsonGoCodec } from './json-codec.ts'
import { optionOpening, unknownCodec } from './opening.ts'
import { writeOption } from './option.ts'

export interface GeerpcOptions {
  /** What a client asks for: `gob`, `json`, or the name of one in `codecs`. A server takes all. Default `gob`. */
  readonly codec?: string
  /** More codecs, by the names that stand in the option as `CodecType`: `application/…`. */
  readonly codecs?: Readonly<Record<string, GoCodec>>
  /**
   * How long dialling and agreeing may take together, in milliseconds; 0 for as long as it likes. Default 10 s. A client
   * that is given a `connectTimeoutMs` of its own goes by that.
   */
  readonly connectTimeoutMs?: number
  /**
   * How long the server may take for each call, in milliseconds; 0 for as long as it likes. Default 0. It takes the place
   * of the client's default deadline; one that was given for a call or a client holds beside it.
   */
  readonly handleTimeoutMs?: number
  /**
   * The path of an HTTP CONNECT that a client sends first: `/_geeprc_` for true, as geerpc has it; MyRPC's is
   * `/_myrpc_`. Default false. A server takes both.
   */
  readonly http?: string | boolean
  /** Default `geerpc`, and `geerpc-http` with a path, so that both can be among the protocols of one client. */
  readonly name?: string
}

/** The codecs that every server of ours takes. */
export const geerpcCodecs: Readonly<Record<string, GoCodec>> = Object.freeze({
  'application/gob': gobCodecWith(headerType),
  'application/json': jsonGoCodec,
})

const dialect: Dialect = {
  name: 'geerpc',
  firstSeq: 1,
  prefix: 'rpc server',
  names: 'part',
  losesPlace: true,
}

/**
 * The protocol of geerpc and MyRPC: an option in JSON, then headers and bodies in the codec that it names. See SPEC.md.
 * @throws RpcError `invalid_argument` for an unknown codec, a time that is none, or something that is no path.
 */
export function createGeerpcProtocol(options: GeerpcOptions = {}): Protocol {
  const { codec = 'gob', http = false, connectTimeoutMs = 10_000, handleTimeoutMs = 0 } = options
  const codecs = new Map(Object.entries({ ...geerpcCodecs, ...options.codecs }))
  const codecType = codecs.has(codec) ? codec : `application/${codec}`
  const chosen = codecs.get(codecType)
  if (chosen === undefined) throw unknownCodec(codec, codecs)
  checkTime('connectTimeoutMs', connectTimeoutMs)
  checkTime('handleTimeoutMs', handleTimeoutMs)
  const connectPath = resolveConnectPath(http, '/_geeprc_')
  const name = options.name ?? (connectPath === undefined ? 'geerpc' : 'geerpc-http')
  const option = writeOption({
    codecType,
    connectTimeoutNs: Math.round(connectTimeoutMs * 1e6),
    handleTimeoutNs: Math.round(handleTimeoutMs * 1e6),
  })
  return {
    name,
    connectTimeoutMs,
    handleTimeoutMs,
    // One server side answers all variants, and only one detector may say so.
    ...(name === 'geerpc' && { detect: detectJsonKey('MagicNumber') }),
    can: goCapabilities,
    accept: (wire, handler, room) =>
      acceptGo({ wire, handler, room, dialect, begin: optionOpening(codecs, room) }),
    dial: (wire, room) =>
      dialGo({
        wire,
        room,
        dialect,
        codec: chosen.open(room.limits),
        preamble: option,
        connectPath,
      }),
  }
}

/** geerpc over a plain connection; as a client it asks for gob. */
export const geerpcProtocol: Protocol = createGeerpcProtocol()

function checkTime(name: string, value: number): void {
  if (Number.isFinite(value) && value >= 0) return
  throw new RpcError(
    'invalid_argument',
    `${name} must be a number of milliseconds, 0 or more, got ${String(value)}`,
  )
}
