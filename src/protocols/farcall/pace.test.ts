import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import { Pace } from './pace.ts'

const partBytes = 64 * 1024 - 9

/** Sends parts as the pace allows over a way that carries so many bytes a millisecond, each so much later. */
async function simulate(bytesPerMs: number, latencyMs: number, totalBytes: number) {
  const clock = createVirtualClock(1000)
  let freeAt = clock.now()
  let sent = 0
  let read = 0
  let mostAhead = 0
  const pace: Pace = new Pace(clock, (payload) => {
    // The mark stands behind what was sent before; its answer goes back over an empty way.
    clock.after(freeAt - clock.now() + 2 * latencyMs, () => {
      pace.answered(payload)
      pump()
    })
  })
  const pump = () => {
    while (sent < totalBytes && pace.open) {
      sent += partBytes
      mostAhead = Math.max(mostAhead, sent - read)
      freeAt = Math.max(freeAt, clock.now()) + partBytes / bytesPerMs
      clock.after(freeAt - clock.now() + latencyMs, () => {
        read += partBytes
      })
      pace.sent(partBytes)
    }
  }
  pump()
  const startedAt = clock.now()
  while (read < totalBytes) await clock.advance(1)
  return { mostAhead, tookMs: clock.now() - startedAt }
}

describe('how much of large messages is on its way', () => {
  it('over a short way little, however fast: a small message is not held up for long', async () => {
    const { mostAhead, tookMs } = await simulate(100_000, 0.1, 32 * 2 ** 20)
    assert.ok(mostAhead <= 512 * 1024, `${mostAhead} bytes`)
    // 336 ms at full speed.
    assert.ok(tookMs < 400, `${tookMs} ms`)
  })

  it('over a slow way no more than the least', async () => {
    const { mostAhead } = await simulate(1_000, 1, 4 * 2 ** 20)
    assert.ok(mostAhead <= 256 * 1024 + partBytes, `${mostAhead} bytes`)
  })

  it('over a long and fast way as much as keeps it busy', async () => {
    // 10 Gbit/s and 50 ms there and back hold 62 MB, more than is ever allowed; 1 Gbit/s holds 6 MB.
    const { mostAhead, tookMs } = await simulate(125_000, 25, 200 * 2 ** 20)
    assert.ok(mostAhead <= 17 * 2 ** 20, `${mostAhead} bytes`)
    // 1,680 ms at full speed, and some answers until it is known how fast that is.
    assert.ok(tookMs < 2_300, `${tookMs} ms`)
  })

  it('takes no other PONG for the answer to a mark', () => {
    const pace = new Pace(createVirtualClock(), () => {})
    assert.equal(pace.answered(new Uint8Array(8)), false)
    assert.equal(pace.answered(Uint8Array.of(1)), false)
    pace.sent(300_000)
    assert.equal(pace.open, false)
    assert.equal(pace.answered(new Uint8Array(8)), false)
    assert.equal(pace.open, false)
    assert.equal(pace.answered(Uint8Array.of(1)), true)
    assert.equal(pace.open, true)
  })
})
