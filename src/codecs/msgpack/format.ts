/** The extension types beside the standard timestamp; SPEC.md has their payloads. */
export const extension = { undefined: 0, bigint: 1, map: 2, set: 3, error: 4, timestamp: 0xff } as const

/** The one byte that MessagePack leaves unused introduces a record: an object of a shape defined before. */
export const recordByte = 0xc1

/** Bounds on what two peers may remember of each other; both sides keep them. */
export const maxRecords = 256
export const maxRecordKeys = 64
/** All names of all records of a session, in UTF-8. */
export const maxRecordNameBytes = 64 * 1024
