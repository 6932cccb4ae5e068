import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { parseEndpoint } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import { seededRandom } from '../core/random.ts'
import { createVirtualClock, type VirtualClock } from '../testing/virtual-clock.ts'
import { RegistryStore } from './store.ts'

const ttlMs = 15_000

/** The registry as one would explain it: leases with their instances, and when each was heard of. */
interface Model {
  now: number
  leases: Map<
    string,
    { incarnation: number; seenAt: number; ids: Map<string, { incarnation: number; weight: number }> }
  >
  fences: Map<string, number>
}

interface Real {
  readonly clock: VirtualClock
  readonly store: RegistryStore
}

type Command = fc.AsyncCommand<Model, Real>

function owner(model: Model, id: string) {
  return [...model.leases.values()].find((lease) => lease.ids.has(id))
}

/** What a command answers: nothing, or why it was refused. */
function outcome(run: () => unknown): string {
  try {
    run()
    return 'done'
  } catch (error) {
    assert.ok(RpcError.is(error))
    return error.reason ?? error.code
  }
}

function compare(model: Model, { store }: Real): void {
  const expected = new Map<string, number>()
  for (const lease of model.leases.values()) {
    for (const [id, one] of lease.ids) expected.set(id, one.incarnation * 1_000 + one.weight)
  }
  const actual = store.views.list({}, 0).instances
  const found = actual.map((one): [string, number] => [one.id, one.incarnation * 1_000 + one.weight])
  assert.deepEqual(new Map(found), expected)
  assert.equal(store.leases, model.leases.size)
  assert.equal(store.size, expected.size)
}

class Register implements Command {
  readonly lease: string
  readonly incarnation: number
  readonly instances: readonly { id: string; incarnation: number; weight: number }[]
  constructor(lease: string, incarnation: number, instances: Register['instances']) {
    this.lease = lease
    this.incarnation = incarnation
    this.instances = [...new Map(instances.map((one) => [one.id, one])).values()]
  }
  check = () => true
  async run(model: Model, real: Real): Promise<void> {
    const instances = this.instances.map(
      (one): Instance => ({
        ...one,
        services: [],
        endpoints: [parseEndpoint('memory:a')],
        zone: undefined,
        metadata: {},
        status: 'up',
      }),
    )
    const { lease: id, incarnation } = this
    assert.equal(
      outcome(() => real.store.register({ id, incarnation, ttlMs }, instances)),
      this.#expect(model),
    )
    compare(model, real)
  }
  #expect(model: Model): string {
    const known = model.leases.get(this.lease)
    if (known === undefined && this.incarnation <= (model.fences.get(this.lease) ?? -1)) return 'lease_lost'
    if (known !== undefined && this.incarnation < known.incarnation) return 'superseded'
    for (const one of this.instances) {
      const holder = owner(model, one.id)
      const held = holder?.ids.get(one.id)?.incarnation ?? -1
      if (holder !== undefined && holder === known ? one.incarnation < held : one.incarnation <= held)
        return 'superseded'
    }
    for (const one of this.instances) owner(model, one.id)?.ids.delete(one.id)
    const ids = new Map(this.instances.map((one) => [one.id, one]))
    model.leases.set(this.lease, { incarnation: this.incarnation, seenAt: model.now, ids })
    return 'done'
  }
  toString = () => `register(${this.lease}@${this.incarnation}, ${JSON.stringify(this.instances)})`
}

class Renew implements Command {
  readonly lease: string
  constructor(lease: string) {
    this.lease = lease
  }
  check = () => true
  async run(model: Model, real: Real): Promise<void> {
    const lease = model.leases.get(this.lease)
    const lost = real.store.renew([{ id: this.lease, incarnation: lease?.incarnation ?? 0 }])
    assert.equal(
      lost.some((one) => one.reason === 'unknown'),
      lease === undefined,
    )
    if (lease !== undefined) lease.seenAt = model.now
    compare(model, real)
  }
  toString = () => `renew(${this.lease})`
}

class Unregister implements Command {
  readonly lease: string
  readonly incarnation: number
  constructor(lease: string, incarnation: number) {
    this.lease = lease
    this.incarnation = incarnation
  }
  check = () => true
  async run(model: Model, real: Real): Promise<void> {
    const { lease: id, incarnation } = this
    const known = model.leases.get(id)
    const expected = known !== undefined && incarnation < known.incarnation ? 'superseded' : 'done'
    assert.equal(
      outcome(() => real.store.unregister({ id, incarnation })),
      expected,
    )
    if (expected === 'done') {
      model.fences.set(id, Math.max(incarnation, known?.incarnation ?? 0, model.fences.get(id) ?? 0))
      model.leases.delete(id)
    }
    compare(model, real)
  }
  toString = () => `unregister(${this.lease}@${this.incarnation})`
}

class Pass implements Command {
  readonly ms: number
  constructor(ms: number) {
    this.ms = ms
  }
  check = () => true
  async run(model: Model, real: Real): Promise<void> {
    await real.clock.advance(this.ms)
    model.now += this.ms
    real.store.sweep()
    for (const [id, lease] of model.leases) if (model.now - lease.seenAt >= ttlMs) model.leases.delete(id)
    compare(model, real)
  }
  toString = () => `pass(${this.ms} ms)`
}

it('the store does what a simple model of it does', async () => {
  const lease = fc.constantFrom('a', 'b', 'c')
  const incarnation = fc.nat(6)
  const instance = fc.record({
    id: fc.constantFrom('x', 'y', '__proto__'),
    incarnation: fc.nat(4),
    weight: fc.nat(2),
  })
  const commands = fc.commands(
    [
      fc.tuple(lease, incarnation, fc.array(instance, { maxLength: 3 })).map((args) => new Register(...args)),
      lease.map((id) => new Renew(id)),
      fc.tuple(lease, incarnation).map((args) => new Unregister(...args)),
      fc.integer({ min: 0, max: 12_000 }).map((ms) => new Pass(ms)),
    ],
    { maxCommands: 60 },
  )
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      const clock = createVirtualClock()
      const store = new RegistryStore({ clock, random: seededRandom(1) })
      await fc.asyncModelRun(
        () => ({ model: { now: 0, leases: new Map(), fences: new Map() }, real: { clock, store } }),
        sequence,
      )
    }),
    { seed: 11, numRuns: 200 },
  )
})
