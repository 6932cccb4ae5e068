import { performance } from 'node:perf_hooks'
import type { ProcessView } from './server-view.ts'

/** What Node says of this process. */
export function processView(): ProcessView {
  const { rss, heapUsed, heapTotal } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return {
    residentBytes: rss,
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    cpuSeconds: (user + system) / 1e6,
    startedAt: performance.timeOrigin / 1000,
    loopUtilization: performance.eventLoopUtilization().utilization,
  }
}
