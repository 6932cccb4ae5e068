/** The frame types of version 1. SPEC.md says what each means. */
export const frameTypes = {
  call: 1,
  reply: 2,
  error: 3,
  head: 4,
  item: 5,
  end: 6,
  cancel: 7,
  credit: 8,
  ping: 9,
  pong: 10,
  drain: 11,
  method: 12,
  define: 13,
  part: 14,
  close: 15,
} as const

export type FrameType = (typeof frameTypes)[keyof typeof frameTypes]

/** Whether a type is of a message, which may come in parts, or takes the place of one. */
export function isMessage(type: number): boolean {
  return type >= frameTypes.call && type <= frameTypes.end
}

/** The last frame of a message that came in parts has this bit set in its type. */
export const joinedBit = 0x40

/** A frame of an unknown type that has this bit set must not be skipped. */
export const criticalBit = 0x80

/** The bits of the flags byte of a CALL. The lowest two are the form of the arguments. */
export const callFlags = {
  formMask: 0x03,
  list: 0,
  named: 1,
  message: 2,
  inputStream: 0x04,
  oneway: 0x08,
  timeout: 0x10,
  bounded: 0x20,
  metadata: 0x40,
  more: 0x80,
} as const

/** The bits of the second flags byte of a CALL, there if `more` is set. */
export const moreCallFlags = { attempt: 0x01, key: 0x02 } as const

/** The bits of the flags byte of REPLY, HEAD, END and ERROR. */
export const replyFlags = { head: 0x01, trailer: 0x02, notExecuted: 0x04, extra: 0x08 } as const

/** The bits of the flags byte of METHOD. */
export const methodFlags = { idempotent: 0x01, inputStream: 0x02, outputStream: 0x04, params: 0x08 } as const

/** Method references: 0 defines the next number, 1 is a name used once, from 2 on they refer. */
export const methodRefs = { define: 0, literal: 1, first: 2 } as const

/** How many methods a session numbers; further ones are named in each call. */
export const maxMethodRefs = 4096
/** The longest name of a service or method, in UTF-8 bytes. */
export const maxNameBytes = 256

/** The largest frame that we accept, and send unless the peer accepts less. Also how finely messages interleave. */
export const maxFrameBytes = 64 * 1024
/** What every peer must accept. */
export const minFrameBytes = 4096
/** Stream and connection windows before the peer's preface has said how large they are. */
export const initialWindowBytes = 64 * 1024
/** What an item costs in credit beside its bytes, so that a window also bounds the number of items. */
export const itemOverhead = 8
/** How many messages of one direction may be sent in parts at the same time. */
export const maxAssemblies = 4
/** The length and type of a frame, before its id. */
export const frameHeadBytes = 5
