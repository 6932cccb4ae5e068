import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RpcError } from '../core/error.ts'
import { resolveLimits } from '../core/limits.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { HeldBytes, type Holder } from './held-bytes.ts'

const MiB = 1024 * 1024
const limits = resolveLimits({ maxHeldBytes: 8 * MiB, maxMessageBytes: MiB, maxUnsentBytes: 2 * MiB })

/** Connections that hold what they are set to. */
function setUp(counts: readonly number[]) {
  const clock = createVirtualClock()
  const closed: [number, RpcError][] = []
  const holders = new Set<Holder & { held: number }>()
  const all = counts.map((held, i) => {
    const holder = { held, heldLast: 0, heldLong: 0, hangUp: (reason: RpcError) => end(holder, i, reason) }
    holders.add(holder)
    return holder
  })
  const end = (holder: Holder & { held: number }, i: number, reason: RpcError) => {
    holders.delete(holder)
    closed.push([i, reason])
  }
  const bytes = new HeldBytes(clock, limits, holders)
  bytes.watch()
  return { clock, all, bytes, closed, gone: () => closed.map(([i]) => i) }
}

describe('what all connections hold together', () => {
  it('within the limit, whoever holds it, is nobody else’s affair', async () => {
    const { clock, gone } = setUp([3 * MiB, 3 * MiB, 2 * MiB, 0])
    await clock.advance(10_000)
    assert.deepEqual(gone(), [])
  })

  it('beyond it, those go that hold the most, until a quarter of it is free', async () => {
    const { clock, closed, gone } = setUp([0, MiB, 5 * MiB, 2 * MiB, 3 * MiB, 0])
    await clock.advance(250)
    assert.deepEqual(gone(), [2])
    const [[, reason] = []] = closed
    assert.equal(reason?.code, 'resource_exhausted')
    assert.match(
      reason?.message ?? '',
      /more than 8388608 bytes \(limits\.maxHeldBytes\), and this one 5242880/,
    )
    await clock.advance(10_000)
    assert.equal(closed.length, 1)
  })

  it('and rather who has held it for long than who has just begun', async () => {
    const { clock, all, gone } = setUp([2 * MiB, 2 * MiB, 0, 0])
    await clock.advance(250)
    const [, , third, fourth] = all
    if (third !== undefined) third.held = 4 * MiB
    if (fourth !== undefined) fourth.held = 2 * MiB
    await clock.advance(250)
    assert.deepEqual(gone(), [0, 1])
  })

  it('a few connections, which cannot hold so much, are not looked at; nor when it is over', async () => {
    let looks = 0
    const holder = {
      get held() {
        looks++
        return 0
      },
      heldLast: 0,
      heldLong: 0,
      hangUp: () => {},
    }
    const clock = createVirtualClock()
    const holders = new Set<Holder>()
    const roomy = resolveLimits({ ...limits, maxHeldBytes: 15 * MiB })
    const bytes = new HeldBytes(clock, roomy, holders)
    holders.add(holder)
    bytes.watch()
    await clock.advance(10_000)
    assert.equal(looks, 0)
    holders.add({ ...holder })
    bytes.watch()
    await clock.advance(1_000)
    assert.equal(looks, 5)
    bytes.stop()
    await clock.advance(10_000)
    assert.equal(looks, 5)
  })
})
