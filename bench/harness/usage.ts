import { readdirSync, readFileSync } from 'node:fs'

// Read from /proc in the client, for both sides at the same moment. A process may then be of any language.

/** CPU time that processes have used, in µs; NaN where the system does not tell. */
export function cpuOf(pids: readonly number[]): number {
  try {
    let total = 0
    for (const pid of pids) {
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]) / 1000
      }
    }
    return total
  } catch {
    return Number.NaN
  }
}

/** Resident memory of processes, in bytes; NaN where the system does not tell. */
export function rssOf(pids: readonly number[]): number {
  try {
    let total = 0
    for (const pid of pids) {
      const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
      total += Number(found?.[1]) * 1024
    }
    return total
  } catch {
    return Number.NaN
  }
}
