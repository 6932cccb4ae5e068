// What `gob.…` is: the words that describe types, and whole streams in one call.
import { RpcError } from '../../core/error.ts'
import { GobDecoder } from './decoder.ts'
import { GobEncoder } from './encoder.ts'
import type { GobLimits } from './limits.ts'
import type { GobType } from './types.ts'

export {
  any,
  array,
  bool,
  bytes,
  complex,
  field,
  float,
  int,
  int64,
  interfaceOf as interface,
  isGobType,
  lazy,
  map,
  opaque,
  pointer,
  slice,
  string,
  struct,
  uint,
  uint64,
} from './types.ts'
export type { Field, Fields, GobType, Infer, InterfaceTable, OpaqueOptions, OpaqueVia } from './types.ts'
export { time } from './time.ts'
export { GobComplex as Complex } from './complex.ts'
export { GobNamed as Named } from './named.ts'

/**
 * One value as a stream of its own.
 * @throws RpcError as {@link GobEncoder.encode}.
 */
export function encode<T>(value: T, type?: GobType<T>, limits?: Partial<GobLimits>): Uint8Array {
  return new GobEncoder(limits).encodeNext(value, type)
}

/**
 * The one value of a stream.
 * @throws RpcError as {@link GobDecoder.decodeNext}, and `invalid_argument` for a stream with no value or several.
 */
export function decode<T = unknown>(bytes: Uint8Array, type?: GobType<T>, limits?: Partial<GobLimits>): T {
  const decoder = new GobDecoder(limits)
  decoder.push(bytes)
  const value = decoder.decodeNext(type)
  if (value === undefined) throw new RpcError('invalid_argument', 'the gob stream ends before its value')
  if (decoder.pending > 0) {
    throw new RpcError('invalid_argument', `${decoder.pending} bytes follow the value of the gob stream`)
  }
  return value
}

/**
 * The values of a stream whose bytes come in pieces (a socket, a file), each as soon as it is whole.
 * @throws RpcError as {@link GobDecoder.decodeNext}, and `invalid_argument` where the bytes end in the middle of a value.
 */
export async function* decodeStream<T = unknown>(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  type?: GobType<T>,
  limits?: Partial<GobLimits>,
): AsyncGenerator<T, void, undefined> {
  const decoder = new GobDecoder(limits)
  for await (const piece of pieces) {
    decoder.push(piece)
    yield* decoder.values(type)
  }
  if (decoder.pending > 0) {
    throw new RpcError('invalid_argument', `the gob stream ends ${decoder.pending} bytes into a value`)
  }
}
