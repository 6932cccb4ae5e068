import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Measured } from '../bench/harness/peer.ts'
import { runLoad } from '../bench/harness/load.ts'
import { readOptions } from '../bench/options.ts'
import { loadPeer, peerFiles } from '../bench/peers/index.ts'
import { ratioOf, type Results } from '../bench/report/results.ts'
import { targetRows } from '../bench/report/targets.ts'

function resultsWith(rates: Readonly<Record<string, readonly number[]>>): Results {
  const rowOf = (peer: string, rate: number, repeat: number) => {
    const measured: Measured = {
      count: rate,
      elapsedMs: 1000,
      serverCpu: rate,
      clientCpu: rate,
      serverRss: 0,
      clientRss: 0,
    }
    return { scenario: 'b', peer, repeat, measured }
  }
  const runs = Object.entries(rates).flatMap(([peer, each]) => each.map((rate, i) => rowOf(peer, rate, i)))
  const nothing = { date: '', command: '', node: '', machine: '', windowMs: 1, warmupMs: 1, repeats: 3 }
  return { ...nothing, peers: [], skipped: [], failed: [], curves: [], special: {}, runs }
}

describe('the bench', () => {
  it('forms ratios within each repeat', () => {
    const results = resultsWith({ farcall: [100, 10, 300], raw: [100, 100, 100] })
    const ratio = ratioOf(results, 'b', { peer: 'farcall', to: 'raw' })
    assert.deepEqual(ratio, { median: 1, min: 0.1, max: 3 })
  })

  it('says of every target whether it is reached, and of what was not measured that it was not', () => {
    const rows = targetRows(resultsWith({ farcall: [90], raw: [100], 'grpc-js': [10] }))
    const verdictOf = (scenario: string, what: string) =>
      rows.find((row) => row.scenario === scenario && row.what === what)?.verdict
    assert.equal(verdictOf('b', 'calls/s ÷ raw'), 'reached')
    assert.equal(verdictOf('b', 'calls/s ÷ grpc-js'), 'not reached')
    assert.equal(verdictOf('c', 'calls/s ÷ raw'), 'not measured')
    assert.ok(rows.some(({ scenario, verdict }) => scenario === 'l' && verdict === 'not measured'))
  })

  it('refuses an unknown peer and lists those that there are', () => {
    assert.throws(() => readOptions(['--peers', 'nobody']), /unknown peer 'nobody'; known: farcall/)
  })

  it('can describe each peer without its packages', async () => {
    for (const file of peerFiles) assert.equal((await loadPeer(file)).name, file)
  })

  it('notices a result that is wrong', async () => {
    const load = { operation: 'add', inFlight: 1, connections: 1, payloadBytes: 0 } as const
    const times = { warmupMs: 1000, windowMs: 1000, serverPids: [] }
    const wrong = { add: async () => 0, close: () => {} }
    await assert.rejects(
      runLoad(async () => wrong, { ...load, ...times }),
      /a result was wrong/,
    )
  })
})
