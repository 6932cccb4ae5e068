import { Socket } from 'node:net'
import { getHeapStatistics } from 'node:v8'

let written = 0
const write = Socket.prototype.write as (...args: unknown[]) => boolean
Socket.prototype.write = function counted(this: Socket, ...args: unknown[]) {
  written++
  return write.apply(this, args)
}

/** How often a socket of this process was written to. */
export function writes(): number {
  return written
}

/** Bytes that were allocated on the heap since the process began, whether they are still used or not. */
export function allocated(): number {
  const { total_allocated_bytes: bytes } = getHeapStatistics() as unknown as { total_allocated_bytes: number }
  return bytes
}
