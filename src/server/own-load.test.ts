import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { readOwnLoad } from './own-load.node.ts'
import { busyShare, createBusyMeter, type LoadReading } from './own-load.ts'

const idle: LoadReading = { cpuMs: 100, cpus: 4, loopMs: 50, memory: 0.5 }

test('a process is as busy as what it has the least left of', () => {
  const after = (changes: Partial<LoadReading>) => busyShare(idle, { ...idle, ...changes }, 1_000)
  assert.equal(after({}), 0)
  assert.equal(after({ loopMs: 350 }), 0.3)
  assert.equal(after({ cpuMs: 2_100 }), 0.5)
  assert.equal(after({ cpuMs: 2_100, loopMs: 850 }), 0.8)
  assert.equal(after({ memory: 0.75 }), 0)
  assert.equal(after({ memory: 0.9375 }), 0.75)
  assert.equal(after({ cpuMs: 99_999, memory: 2 }), 1)
})

test('no time between two readings tells nothing', () => {
  assert.equal(busyShare(idle, { ...idle, loopMs: 60 }, 0), 0)
})

test('a meter measures from one asking to the next', async () => {
  const clock = createVirtualClock()
  let loopMs = 0
  const meter = createBusyMeter(clock, () => ({ ...idle, loopMs }))
  await clock.advance(1_000)
  loopMs += 500
  assert.equal(meter(), 0.5)
  await clock.advance(100)
  loopMs += 10
  assert.equal(meter(), 0.1)
})

test('what Node says of this process makes sense', () => {
  const before = readOwnLoad()
  const end = performance.now() + 30
  while (performance.now() < end);
  const after = readOwnLoad()
  assert.ok(after.cpuMs > before.cpuMs && after.loopMs >= before.loopMs + 25)
  assert.ok(after.cpus >= 1 && after.memory > 0 && after.memory < 1)
})
