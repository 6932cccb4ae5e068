import { RpcError } from '../../core/error.ts'

/**
 * A bigint as big-endian two's complement: 8 bytes if it fits, else as few as hold it. Hexadecimal is the way that
 * costs in proportion to the size; decimal would not.
 */
export function bigintToBytes(value: bigint): Uint8Array {
  if (BigInt.asIntN(64, value) === value) {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigInt64(0, value)
    return bytes
  }
  const positive = value >= 0n
  // The bits of -1 - n are those of n, each turned over.
  const hex = (positive ? value : -1n - value).toString(16)
  // A first bit of its own for the sign.
  const size = (hex.length + 2) >> 1
  const digits = hex.padStart(size * 2, '0')
  const skip = Number.parseInt(digits.slice(0, 4), 16) < 0x80 ? 1 : 0
  const bytes = new Uint8Array(size - skip)
  const turn = positive ? 0 : 0xff
  for (let i = 0; i < bytes.length; i++) {
    const at = (i + skip) * 2
    bytes[i] = Number.parseInt(digits.slice(at, at + 2), 16) ^ turn
  }
  return bytes
}

/** Reads what {@link bigintToBytes} wrote; any number of bytes from one up is taken. */
export function bytesToBigint(bytes: Uint8Array, start: number, end: number): bigint {
  if (start === end) throw new RpcError('invalid_argument', 'a bigint has no bytes')
  if (end - start === 8) return new DataView(bytes.buffer, bytes.byteOffset + start, 8).getBigInt64(0)
  const negative = (bytes[start] as number) >= 0x80
  const turn = negative ? 0xff : 0
  const digits: string[] = []
  for (let i = start; i < end; i++) digits.push(hexOf[(bytes[i] as number) ^ turn] as string)
  const value = BigInt(`0x${digits.join('')}`)
  return negative ? -1n - value : value
}

const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
