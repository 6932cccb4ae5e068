import type { MethodInfo } from '../../core/method-info.ts'
import type { Facts } from '../options.ts'
import type { Server } from '../server.ts'

/** What the pages read of a server. */
export type ServerView = Pick<
  Server,
  'id' | 'state' | 'endpoints' | 'targets' | 'weight' | 'services' | 'stats'
>

/** The types of the values of a call, for people: of its arguments as one message, and of its reply. */
export interface ShownTypes {
  readonly args?: string
  readonly reply?: string
}

/** What the pages are told beside the server itself. */
export interface Around {
  readonly running: ProcessView | undefined
  readonly facts: Facts
  /** Milliseconds since 1970. */
  readonly at: number
  /** The types of a method, where they are known. */
  readonly typesOf: (info: MethodInfo) => ShownTypes | undefined
}

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
