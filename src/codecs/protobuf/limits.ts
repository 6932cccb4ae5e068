import type { Limits } from '../../core/limits.ts'

/** What a protobuf message may cost. */
export interface ProtobufLimits extends Pick<Limits, 'maxMessageBytes' | 'maxDepth'> {
  /**
   * How many fields of one message, and of those inside it, may be filled in because the bytes leave them out: an empty
   * message of a hundred fields takes two bytes, but a hundred places here. Default 1,000,000.
   */
  readonly maxOmittedFields?: number
}

/** See {@link ProtobufLimits}. */
export const defaultMaxOmittedFields = 1_000_000
