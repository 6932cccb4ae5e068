import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
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
  readonly cpuRatios: readonly number[]
}

describe('a unary call, 64 of them in flight', () => {
  let cost: Cost
  before(async () => {
    await using server = startProgram('processes/cost-server.ts')
    const [, target = '', port = ''] = await server.line(/listening at (\S+) and (\d+)/)
    await using client = startProgram('processes/cost-client.ts', [target, port])
    const [line] = await client.line(/^\{"clientBytes".*\}$/m)
    cost = JSON.parse(line) as Cost
  })

  it('allocates little', () => {
    assert.ok(cost.clientBytes < 1_900, `client: ${cost.clientBytes} bytes per call (1,210)`)
    assert.ok(cost.serverBytes < 1_900, `server: ${cost.serverBytes} bytes per call (1,180)`)
  })

  it('shares its writes with others', () => {
    assert.ok(cost.clientWrites < 0.25, `client: ${cost.clientWrites} writes per call (0.09)`)
    assert.ok(cost.serverWrites < 0.25, `server: ${cost.serverWrites} writes per call (0.08)`)
  })

  it('makes one promise, the one that its caller gets', () => {
    // A few belong to the counting itself and not to any of the calls.
    assert.ok(cost.promises >= 1 && cost.promises < 1.05, `${cost.promises} promises per call`)
  })

  // Both take turns in the same two processes, and the kindest of some rounds counts: a call that became dearer is so in
  // all of them, a busy machine hardly. On one that was busy the rounds varied from 2.4 to 5.3.
  it('takes at most seven times the CPU of a bare echo over a socket', () => {
    const best = Math.min(...cost.cpuRatios)
    assert.ok(best < 7, `${best} times as much`)
  })
})
