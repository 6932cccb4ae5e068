import assert from 'node:assert/strict'
import { it } from 'node:test'
import { connect } from 'farcall'
import { followRegistry } from '../src/cli/follow-registry.ts'
import { startProgram } from './support/process.ts'

interface Worker {
  who(): string
  setBusy(on: boolean): void
  setWeight(weight: number): void
}

async function fleet(ids: readonly string[]) {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(startProgram('processes/registry.ts'))
  const [, place = ''] = await registry.line(/ready (\S+)/)
  const target = place.replace('tcp:', 'registry:')
  for (const id of ids) await stack.use(startProgram('processes/worker.ts', [target, id])).line(/ready/)
  const client = stack.use(connect(target, { balancer: 'weighted-round-robin' }))
  const worker = client.service<Worker>('worker')
  await worker.who()
  const abort = new AbortController()
  stack.defer(() => abort.abort())
  const seen = followRegistry(stack.use(connect(place)), 'worker', abort.signal)
  /** Waits until the registry tells that it weighs what it should. */
  const weighs = async (id: string, wanted: (weight: number) => boolean) => {
    for (;;) {
      const next = await seen.next()
      assert.ok(next.done !== true)
      if (next.value.type !== 'up' || next.value.instance.id !== id) continue
      if (wanted(next.value.instance.weight)) return
    }
  }
  /** How many of so many calls each gets. */
  const shares = async (calls: number) => {
    await client.refresh('worker')
    const counts = Object.fromEntries(ids.map((id) => [id, 0]))
    for (let i = 0; i < calls; i++) {
      const id = await worker.who()
      counts[id] = (counts[id] ?? 0) + 1
    }
    return counts
  }
  const of = (id: string) => worker.$with({ instance: id })
  const held = stack.move()
  return { of, weighs, shares, [Symbol.asyncDispose]: () => held.disposeAsync() }
}

it('a busy process weighs less in the registry and gets less, until it is free again', async () => {
  await using all = await fleet(['one', 'two'])
  await all.of('one').setBusy(true)
  await all.weighs('one', (weight) => weight < 0.25)
  const { one = 0, two = 0 } = await all.shares(40)
  assert.ok(one > 0 && one < two, `${one} and ${two}`)
  await all.of('one').setBusy(false)
  await all.weighs('one', (weight) => weight > 0.7)
})

it('a weight that is set by hand reaches the clients while they call', async () => {
  await using all = await fleet(['one', 'two'])
  await all.of('one').setWeight(0)
  await all.weighs('one', (weight) => weight === 0)
  assert.deepEqual(await all.shares(20), { one: 0, two: 20 })
  await all.of('one').setWeight(30)
  await all.weighs('one', (weight) => weight >= 15)
  const { one = 0, two = 0 } = await all.shares(64)
  assert.ok(one > 4 * two, `${one} and ${two}`)
})
