import { Socket } from 'node:net'
import { getHeapStatistics } from 'node:v8'

/** What a process has used since it began. */
export interface Counters {
  /** Bytes of heap, whether they are still in use or not. */
  readonly allocated: number
  /** How often its sockets were written to. */
  readonly writes: number
  /** µs of CPU, of all its threads. */
  readonly cpu: number
}

let writes = 0
const write = Socket.prototype.write as (...args: unknown[]) => boolean
Socket.prototype.write = function counted(this: Socket, ...args: unknown[]) {
  writes++
  return write.apply(this, args)
}

export function countersNow(): Counters {
  const { total_allocated_bytes: allocated } = getHeapStatistics() as unknown as {
    total_allocated_bytes: number
  }
  const { user, system } = process.cpuUsage()
  return { allocated, writes, cpu: user + system }
}
