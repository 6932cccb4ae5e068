import { availableParallelism, totalmem } from 'node:os'
import { performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { LoadReading } from './own-load.ts'

/** What Node says of this process. Limits of its container count. */
export function readOwnLoad(): LoadReading {
  const { user, system } = process.cpuUsage()
  const heap = getHeapStatistics()
  return {
    cpuMs: (user + system) / 1000,
    cpus: availableParallelism(),
    loopMs: performance.eventLoopUtilization().active,
    memory: Math.max(process.memoryUsage.rss() / memoryLimit(), heap.used_heap_size / heap.heap_size_limit),
  }
}

// Node says 0, or more than there is, where nothing is limited.
function memoryLimit(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}
