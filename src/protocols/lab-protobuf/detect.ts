import type { Detect } from '../../core/detect.ts'

/** What a request asks for: the text in its field `type`. */
export const requestTypes = ['call', 'register', 'discover', 'heartbeat'] as const
export type RequestType = (typeof requestTypes)[number]

// Field 1, of length-delimited kind; writers put it first.
const typeTag = 0x0a
const beginnings = requestTypes.map((type) =>
  Uint8Array.from([typeTag, type.length, ...Array.from(type, (char) => char.charCodeAt(0))]),
)

/** Whether a connection begins with a request of one of the known types. */
export const detectLabProtobuf: Detect = (head) => {
  for (const beginning of beginnings) {
    const known = Math.min(head.length, beginning.length)
    if (!beginning.subarray(0, known).every((byte, i) => byte === head[i])) continue
    return known === beginning.length ? 'yes' : 'more'
  }
  return 'no'
}
