import { RpcError } from '../../core/error.ts'

/** Where JavaScript's dates end, before and after 1970. */
const maxMs = 8.64e15

/** MessagePack's standard timestamp, in the shortest of its three forms. */
export function timestampToBytes(ms: number): Uint8Array {
  const seconds = Math.floor(ms / 1000)
  const nanoseconds = (ms - seconds * 1000) * 1_000_000
  if (seconds >= 0 && seconds < 2 ** 34) {
    if (nanoseconds === 0 && seconds < 2 ** 32) {
      const bytes = new Uint8Array(4)
      new DataView(bytes.buffer).setUint32(0, seconds)
      return bytes
    }
    const bytes = new Uint8Array(8)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, nanoseconds * 4 + Math.floor(seconds / 2 ** 32))
    view.setUint32(4, seconds)
    return bytes
  }
  const bytes = new Uint8Array(12)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, nanoseconds)
  view.setBigInt64(4, BigInt(seconds))
  return bytes
}

/** Reads one of the three forms; what is finer than a millisecond is cut off. */
export function bytesToDate(bytes: Uint8Array, start: number, end: number): Date {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  switch (end - start) {
    case 4:
      return date(view.getUint32(0), 0)
    case 8: {
      const first = view.getUint32(0)
      return date((first & 3) * 2 ** 32 + view.getUint32(4), first >>> 2)
    }
    case 12:
      return date(Number(view.getBigInt64(4)), view.getUint32(0))
    default:
      throw new RpcError('invalid_argument', `a timestamp has 4, 8 or 12 bytes, not ${end - start}`)
  }
}

function date(seconds: number, nanoseconds: number): Date {
  const ms = seconds * 1000 + Math.floor(nanoseconds / 1_000_000)
  if (nanoseconds > 999_999_999 || Math.abs(ms) > maxMs) {
    throw new RpcError('invalid_argument', 'a timestamp is out of range')
  }
  return new Date(ms)
}
