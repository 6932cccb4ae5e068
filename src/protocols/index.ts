// For authors of protocols: what a protocol is made of and what it finds around it.
export { MemoryOutput, type Output } from '../core/bytes/output.ts'
export { readText, utf8Length, writeText } from '../core/bytes/text.ts'
export { Reader, varintLength, writeVarint } from '../core/bytes/varint.ts'
export { type Arguments, Call, type CallInit, type Outcome } from '../core/call.ts'
export type { Codec, CodecSession } from '../core/codec.ts'
export { type Detect, detectPrefix, maxHeadBytes } from '../core/detect.ts'
export { isNotExecuted, markNotExecuted, remoteError } from '../core/error.ts'
export { ItemStream } from '../core/item-stream.ts'
export { type Handler, isPending, type Reply } from '../core/layer.ts'
export { fail } from '../core/settle.ts'
export type { Wire, WireOutput } from '../transports/transport.ts'
export type {
  Capabilities,
  ClientProtocol,
  ClientSession,
  Protocol,
  Room,
  Session,
  SessionState,
} from './protocol.ts'
