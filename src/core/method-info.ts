/** What must be known of a method at run time to call it well. */
export interface MethodInfo {
  /** The names of its parameters, in order, where they are known. */
  readonly params?: readonly string[]
  /** Whether calling it twice does no harm. Unknown means no. */
  readonly idempotent: boolean
  /** Whether one of its parameters is a stream. */
  readonly input: 'values' | 'stream'
  /** Whether it answers with a stream. */
  readonly output: 'value' | 'stream'
  /** What a codec with types (gob, protobuf) needs; its shape is that codec's affair. */
  readonly types?: unknown
}
