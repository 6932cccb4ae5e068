import type { Server } from '../server.ts'

/** What the pages read of a server. */
export type ServerView = Pick<
  Server,
  'id' | 'state' | 'endpoints' | 'targets' | 'weight' | 'services' | 'stats'
>

/** What the process says of itself; numbers that are not known are left out. */
export interface ProcessView {
  /** Bytes of memory that the process holds. */
  readonly residentBytes: number
  /** Bytes of the heap that are in use, and that it has. */
  readonly heapUsedBytes: number
  readonly heapTotalBytes: number
  /** Seconds of processor time since it began. */
  readonly cpuSeconds: number
  /** Seconds since 1970 at which it began. */
  readonly startedAt: number
  /** The share of the time that the event loop was busy, from 0 to 1, since it began. */
  readonly loopUtilization: number
}
