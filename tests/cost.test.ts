import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { measurePeer } from '../bench/harness/processes.ts'
import { loadPeer } from '../bench/peers/index.ts'
import { scenarios } from '../bench/scenarios.ts'
import { startProgram } from './support/process.ts'

// What a call costs, counted and not timed, so that a change that makes calls dearer is seen at once. The bounds are some
// way above what was found when they were written (in brackets): they catch a closure, a promise or a write too many per
// call, not a new compiler. bench/ has the timed figures.

interface Cost {
  readonly clientBytes: number
  readonly serverBytes: number
  readonly clientWrites: number
  readonly serverWrites: number
  readonly promises: number
}

describe('a unary call, 64 of them in flight', () => {
  let cost: Cost
  before(async () => {
    await using server = startProgram('processes/cost-server.ts')
    const [, target = ''] = await server.line(/listening at (\S+)/)
    await using client = startProgram('processes/cost-client.ts', [target])
    const [line] = await client.line(/^\{"clientBytes".*\}$/m)
    cost = JSON.parse(line) as Cost
  })

  it('allocates little', () => {
    assert.ok(cost.clientBytes < 4_000, `client: ${cost.clientBytes} bytes per call (2,450)`)
    assert.ok(cost.serverBytes < 4_000, `server: ${cost.serverBytes} bytes per call (2,500)`)
  })

  it('shares its writes with others', () => {
    assert.ok(cost.clientWrites < 0.25, `client: ${cost.clientWrites} writes per call (0.08)`)
    assert.ok(cost.serverWrites < 0.25, `server: ${cost.serverWrites} writes per call (0.08)`)
  })

  it('makes one promise, the one that its caller gets', () => {
    // A few belong to the counting itself and not to any of the calls.
    assert.ok(cost.promises >= 1 && cost.promises < 1.05, `${cost.promises} promises per call`)
  })
})

describe('the CPU of a call', () => {
  // Found: about 6. Both are measured at the same time, and the best of some short windows counts.
  const most = 12

  it('is at most twelve times that of a bare echo over a socket', { timeout: 60_000 }, async () => {
    const scenario = scenarios.find(({ id }) => id === 'c')
    assert.ok(scenario)
    const best: Record<string, number> = {}
    for (let round = 0; round < 3; round++) {
      for (const file of ['raw', 'farcall']) {
        const peer = await loadPeer(file)
        const measured = await measurePeer({ file, peer }, scenario, { warmupMs: 700, windowMs: 400 })
        const each = (measured.serverCpu + measured.clientCpu) / measured.count
        // Where the system does not tell the CPU time of processes there is nothing to compare.
        if (Number.isNaN(each)) return
        best[file] = Math.min(best[file] ?? Number.POSITIVE_INFINITY, each)
      }
    }
    const ratio = (best['farcall'] as number) / (best['raw'] as number)
    assert.ok(ratio < most, `${best['farcall']} µs beside ${best['raw']} µs: ${ratio} times as much`)
  })
})
