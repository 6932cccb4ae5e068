import { RpcError } from '../../core/error.ts'
import { type OpaqueType, opaque } from './types.ts'

/** The seconds from the year 1, where Go's times begin, to 1970. */
const secondsBefore1970 = 62_135_596_800n
/** Go's zero time: 0001-01-01T00:00:00Z. */
const zeroMs = -62_135_596_800_000

/**
 * Go's `time.Time`, as a Date. What is finer than a millisecond is cut off, the time zone too; it is sent as UTC. A
 * field that the peer leaves out is Go's zero time, the year 1.
 */
export const time: OpaqueType<Date> = opaque('Time', {
  read: readTime,
  write: writeTime,
  isZero: (date) => date.getTime() === zeroMs,
  zero: () => new Date(zeroMs),
})

function readTime(bytes: Uint8Array): Date {
  const version = bytes[0]
  // Version 2 has one byte more, for zones with a fraction of a minute.
  if (!((version === 1 && bytes.length === 15) || (version === 2 && bytes.length === 16))) {
    throw new RpcError('invalid_argument', `${bytes.length} bytes of version ${version} are no time.Time`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const seconds = Number(view.getBigInt64(1) - secondsBefore1970)
  const date = new Date(seconds * 1000 + Math.floor(view.getUint32(9) / 1e6))
  if (Number.isNaN(date.getTime()))
    throw new RpcError('invalid_argument', 'a time.Time is beyond what a Date can hold')
  return date
}

function writeTime(date: Date): Uint8Array {
  const ms = date instanceof Date ? date.getTime() : Number.NaN
  if (Number.isNaN(ms)) throw new RpcError('invalid_argument', 'a time.Time is made of a valid Date')
  const bytes = new Uint8Array(15)
  const view = new DataView(bytes.buffer)
  const seconds = Math.floor(ms / 1000)
  view.setUint8(0, 1)
  view.setBigInt64(1, BigInt(seconds) + secondsBefore1970)
  view.setUint32(9, (ms - seconds * 1000) * 1e6)
  // The offset in minutes; Go takes -1 for UTC.
  view.setInt16(13, -1)
  return bytes
}
