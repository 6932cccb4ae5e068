import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RpcError } from '../core/error.ts'
import { service } from '../core/service.ts'
import { type AdaptWeightOptions, resolveAdaptWeight } from './adapt-weight.ts'
import { createRig, type Rig } from './fixtures/rig.ts'
import type { ServeOptions } from './options.ts'

const math = service('math', { add: (a: number, b: number) => a + b })
const registered = (rig: Rig) => rig.registry.last[0]?.weight
const updates = (rig: Rig) => rig.registry.log.filter((what) => what === 'update').length

/** A server whose load is what the test says. */
async function serving(rig: Rig, options: AdaptWeightOptions = {}, more: ServeOptions = {}) {
  const load = { busy: 0 }
  const server = await rig.serve([math], { adaptWeight: { busy: () => load.busy, ...options }, ...more })
  await server.registered
  return { server, load }
}

test('without being asked to, a weight follows nothing', async () => {
  await using rig = createRig({ ownLoad: () => assert.fail('nobody asked for the load') })
  const server = await rig.serve([math])
  await rig.clock.advance(600_000)
  assert.equal(server.weight, 1)
  assert.equal(updates(rig), 0)
})

test('a busy server weighs less, and as much as before once it is free', async () => {
  await using rig = createRig()
  const { server, load } = await serving(rig, {}, { weight: 4 })
  load.busy = 0.6
  await rig.clock.advance(300_000)
  assert.equal(server.weight, registered(rig))
  assert.ok(Math.abs(server.weight - 4 * 0.4) < 0.16, String(server.weight))
  load.busy = 0
  await rig.clock.advance(300_000)
  assert.ok((registered(rig) as number) > 3.6)
})

test('a load counts by and by, so that a burst changes little', async () => {
  await using rig = createRig()
  const { server, load } = await serving(rig)
  load.busy = 1
  await rig.clock.advance(5_000)
  load.busy = 0
  await rig.clock.advance(60_000)
  assert.equal(server.weight, 1)
  load.busy = 1
  await rig.clock.advance(60_000)
  // After one window two thirds of it.
  assert.ok(server.weight < 0.5 && server.weight > 0.3, String(server.weight))
})

test('the weight never falls to 0, and 0 stays 0', async () => {
  await using rig = createRig()
  const { server, load } = await serving(rig)
  load.busy = 1
  await rig.clock.advance(3_600_000)
  const least = registered(rig) as number
  assert.ok(least >= 0.1 && least <= 0.11, String(least))
  server.setWeight(0)
  await rig.clock.settle()
  assert.equal(registered(rig), 0)
  await rig.clock.advance(3_600_000)
  assert.equal(registered(rig), 0)
})

test('registries are told seldom, and not of little', async () => {
  await using rig = createRig()
  const { load } = await serving(rig, { windowMs: 1 })
  let told = 1
  let toldAt = Number.NEGATIVE_INFINITY
  let times = 0
  for (let i = 0; i < 400; i++) {
    load.busy = (Math.sin(i / 3) + 1) / 2
    await rig.clock.advance(5_000)
    const weight = registered(rig) as number
    if (weight === told) continue
    assert.ok(rig.clock.now() - toldAt >= 15_000)
    assert.ok(Math.abs(weight - told) >= 0.0999 * told, `${told} → ${weight}`)
    told = weight
    toldAt = rig.clock.now()
    times++
  }
  assert.ok(times > 10)
  assert.equal(updates(rig), times)
})

test('a load that stays as it is causes no traffic', async () => {
  await using rig = createRig()
  const { load } = await serving(rig)
  load.busy = 0.5
  await rig.clock.advance(600_000)
  const before = updates(rig)
  for (let i = 0; i < 200; i++) {
    load.busy = 0.48 + 0.04 * (i % 2)
    await rig.clock.advance(5_000)
  }
  assert.equal(updates(rig), before)
})

test('what is set by hand counts at once, times what the load leaves', async () => {
  await using rig = createRig()
  const { server, load } = await serving(rig, { leastChange: 0, windowMs: 1 })
  load.busy = 0.5
  await rig.clock.advance(5_000)
  assert.equal(registered(rig), 0.5)
  server.setWeight(3)
  await rig.clock.settle()
  assert.equal(registered(rig), 1.5)
})

test('the load of the process is what it follows unless told otherwise', async () => {
  let loopMs = 0
  const clockOf = { now: () => 0 }
  const ownLoad = () => ({ cpuMs: 0, cpus: 1, loopMs: (loopMs = clockOf.now() * 0.8), memory: 0 })
  await using rig = createRig({ ownLoad })
  clockOf.now = () => rig.clock.now()
  const server = await rig.serve([math], { adaptWeight: true })
  await rig.clock.advance(600_000)
  assert.ok(loopMs > 0)
  assert.ok(Math.abs(server.weight - 0.2) < 0.03, String(server.weight))
})

test('a server that stops looks at its load no longer', async () => {
  await using rig = createRig()
  let looks = 0
  const adaptWeight = {
    busy: () => {
      looks++
      return 0
    },
  }
  const server = await rig.serve([math], { adaptWeight })
  await rig.clock.advance(20_000)
  assert.equal(looks, 4)
  const closing = server.close()
  await rig.clock.advance(10_000)
  await closing
  await rig.clock.advance(60_000)
  assert.equal(looks, 4)
  assert.equal(rig.clock.timers, 0)
})

test('a load that cannot be told leaves the weight as it is, and is said once', async () => {
  await using rig = createRig()
  let answer: () => number = () => 0.5
  const server = await rig.serve([math], { adaptWeight: { busy: () => answer(), windowMs: 1 } })
  await rig.clock.advance(5_000)
  assert.equal(server.weight, 0.5)
  for (const bad of [() => Number.NaN, () => assert.fail('no'), () => -1, () => undefined as never]) {
    answer = bad
    await rig.clock.advance(60_000)
    assert.equal(server.weight, 0.5)
  }
  const lines = rig.logger.lines.filter(
    ({ level, fields }) => level === 'warn' && fields['event'] === 'weight',
  )
  assert.equal(lines.length, 1)
  assert.match(lines[0]?.message ?? '', /a number from 0 to 1, got NaN/)
})

test('where nothing can tell the load, that is an error which says what to do', async () => {
  await using rig = createRig()
  assert.throws(
    () => rig.server([math], { adaptWeight: true }),
    (error) =>
      RpcError.is(error) && error.code === 'invalid_argument' && /adaptWeight\.busy/.test(error.message),
  )
})

const wrong: [unknown, RegExp][] = [
  [1, /adaptWeight must be true, false or an object, got 1/],
  [{ period: 1 }, /unknown option 'adaptWeight.period'; known: periodMs/],
  [{ periodMs: 0 }, /adaptWeight.periodMs must be a number of at least 1, got 0/],
  [{ windowMs: Number.NaN }, /windowMs/],
  [{ leastShare: 0 }, /leastShare must be a number from 0.001 to 1, got 0/],
  [{ leastChange: 2 }, /leastChange must be a number from 0 to 1/],
  [{ updateMs: '1' }, /updateMs/],
  [{ busy: 0.5 }, /adaptWeight.busy must be a function/],
]
for (const [options, message] of wrong) {
  test(`bad options: ${JSON.stringify(options)}`, () => {
    assert.throws(
      () => resolveAdaptWeight(options as AdaptWeightOptions),
      (error) => RpcError.is(error) && error.code === 'invalid_argument' && message.test(error.message),
    )
  })
}
