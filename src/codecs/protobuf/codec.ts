import type { Codec, CodecSession } from '../../core/codec.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { decodeMessage } from './decode.ts'
import { encodeMessage } from './encode.ts'
import type { MessageType } from './types.ts'

/** Protobuf on the seam of codecs. The `type` of a value is a {@link MessageType}; without one nothing can be said. */
export const protobufCodec: Codec = {
  name: 'protobuf',
  sequential: false,
  open: (limits: Limits): CodecSession => ({
    encode: (value, output, type) => encodeMessage(messageType(type), value, output, limits),
    decode: (bytes, start, end, type) => decodeMessage(messageType(type), bytes, limits, { start, end }),
  }),
}

function messageType(type: unknown): MessageType {
  if (typeof type === 'object' && type !== null && 'byNumber' in type) return type as MessageType
  throw new RpcError('invalid_argument', 'protobuf needs the type of a message, from a .proto')
}
