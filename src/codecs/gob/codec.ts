import type { Codec, CodecSession } from '../../core/codec.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { GobDecoder } from './decoder.ts'
import { GobEncoder } from './encoder.ts'
import type { GobType } from './types.ts'

/**
 * Gob on the seam of codecs. What a message needs of definitions stands in it, so messages must be decoded in the order
 * in which they were encoded, and none may be left out. The `type` of a value is a {@link GobType}.
 */
export const gobCodec: Codec = {
  name: 'gob',
  sequential: true,
  open: (limits: Limits): CodecSession => {
    const encoder = new GobEncoder(limits)
    const decoder = new GobDecoder(limits)
    let broken: RpcError | undefined
    return {
      encode: (value, output, type) => encoder.encode(value, output, type as GobType | undefined),
      decode(bytes, start, end, type) {
        if (broken !== undefined) throw broken
        decoder.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
        let value: unknown
        try {
          value = decoder.decodeNext(type as GobType | undefined)
        } finally {
          // Where a message does not hold one value, what stands in the next ones cannot be known.
          if (decoder.pending > 0) broken = malformed(decoder.pending)
        }
        if (value === undefined) throw (broken ??= malformed(0))
        if (broken !== undefined) throw broken
        return value
      },
    }
  },
}

function malformed(pending: number): RpcError {
  const problem = pending > 0 ? `has ${pending} bytes too many or too few` : 'is empty'
  return new RpcError('invalid_argument', `a message that should be one gob value ${problem}`)
}
