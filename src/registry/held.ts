import type { Instance } from '../core/instance.ts'
import { encodeInstance, type InstanceData, sizeOf } from '../discovery/api/instance-data.ts'
import type { Lease } from './lease.ts'

/** An instance as the registry holds it: replaced at each change, never changed. */
export interface Held {
  readonly instance: Instance
  /** What watchers are told: made once, frozen, shared by all. */
  readonly data: InstanceData
  readonly size: number
  readonly lease: Lease
  /** Grows with each id that is new: the pages of a list go by it. */
  readonly order: number
}

export function hold(instance: Instance, lease: Lease, order: number): Held {
  const data = encodeInstance(instance)
  return Object.freeze({ instance, data, size: sizeOf(data), lease, order })
}

/** Whether two announcements of one id say the same. */
export function isSame(a: InstanceData, b: InstanceData): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
