import type { Scalar } from './scalars.ts'

/** A message as a `.proto` describes it: all that reading and writing go by. */
export interface MessageType {
  /** With its package: `rpc.AddRequest`. */
  readonly name: string
  /** In the order of the `.proto`. */
  readonly fields: readonly FieldType[]
  readonly byNumber: ReadonlyMap<number, FieldType>
  readonly byProperty: ReadonlyMap<string, FieldType>
}

export interface FieldType {
  /** As the `.proto` has it. */
  readonly name: string
  /** As objects have it. */
  readonly property: string
  readonly number: number
  readonly type: Scalar | MessageType
  readonly form: 'single' | 'list' | 'map'
  /** Of a map. */
  readonly key: Scalar | undefined
  /** Lists of numbers are written as one piece. Both ways are read. */
  readonly packed: boolean
  /** That it is there says something, even where it is zero: so a zero is written, and undefined is not. */
  readonly presence: boolean
  readonly required: boolean
  /** What it is where the bytes leave it out; of lists and maps a new one is made. */
  readonly zero: unknown
  /** The properties of its `oneof`, of which only one can be set. */
  readonly rivals: readonly string[]
}

/** Whether a field holds messages. */
export function isMessageType(type: Scalar | MessageType): type is MessageType {
  return 'fields' in type
}
