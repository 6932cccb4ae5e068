import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RpcError } from '../core/error.ts'
import { type Limits, resolveLimits } from '../core/limits.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { HeldBytes } from './held-bytes.ts'

const MiB = 1024 * 1024
const limits = resolveLimits({ maxHeldBytes: 8 * MiB, maxMessageBytes: MiB, maxUnsentBytes: 2 * MiB })

/** Connections that hold what they are set to. */
function setUp(counts: readonly number[]) {
  const clock = createVirtualClock()
  const closed: [number, RpcError][] = []
  const bytes = new HeldBytes(clock, limits)
  const all = counts.map((held, i) => {
    const holder = {
      held,
      heldLast: 0,
      heldLong: 0,
      mayHold: false,
      inFlight: 1,
      hangUp: (reason: RpcError) => {
        bytes.forget(holder)
        closed.push([i, reason])
      },
    }
    bytes.watch(holder)
    return holder
  })
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
    const { clock, bytes, looks, holder } = counting({ maxHeldBytes: 15 * MiB })
    bytes.watch(holder())
    await clock.advance(10_000)
    assert.equal(looks(), 0)
    bytes.watch(holder())
    await clock.advance(1_000)
    assert.equal(looks(), 8)
    bytes.stop()
    await clock.advance(10_000)
    assert.equal(looks(), 8)
  })

  it('nor those that hold nothing and owe nothing, until more comes', async () => {
    const { clock, bytes, looks, holder } = counting({})
    const [first, second] = [holder(), holder()]
    bytes.watch(first)
    bytes.watch(second)
    first.inFlight = 0
    await clock.advance(1_000)
    assert.deepEqual([looks(), first.mayHold, second.mayHold], [5, false, true])
    bytes.watch(first)
    assert.equal(first.mayHold, true)
    await clock.advance(1_000)
    assert.equal(looks(), 10)
    second.inFlight = 0
    await clock.advance(250)
    assert.equal(looks(), 11)
    assert.equal(clock.backgroundTimers, 0)
  })
})

/** Holders of nothing that count how often they are looked at. */
function counting(given: Partial<Limits>) {
  let looks = 0
  const clock = createVirtualClock()
  const holder = () => ({
    get held() {
      looks++
      return 0
    },
    heldLast: 0,
    heldLong: 0,
    mayHold: false,
    inFlight: 1,
    hangUp: () => {},
  })
  return {
    clock,
    bytes: new HeldBytes(clock, resolveLimits({ ...limits, ...given })),
    looks: () => looks,
    holder,
  }
}
