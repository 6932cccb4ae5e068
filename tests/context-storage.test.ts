import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, it } from 'node:test'
import { connect, currentCall, type Layer, RpcError, serve, service } from 'farcall'
import { createVirtualWorld } from './support/virtual.ts'

describe("a user's own AsyncLocalStorage", () => {
  it('survives through layers and handlers, on both sides, and is not mixed up', async () => {
    const storage = new AsyncLocalStorage<string>()
    const world = createVirtualWorld()
    const seen: unknown[] = []
    const within: Layer = (next) => (call) => storage.run(call.metadata.get('id') ?? 'none', () => next(call))
    const server = service('s', {
      async go() {
        const before = storage.getStore()
        await new Promise<void>((resolve) => world.clock.after(5, resolve))
        seen.push([before, storage.getStore()])
        return storage.getStore()
      },
      async *items() {
        yield storage.getStore()
        await Promise.resolve()
        yield storage.getStore()
      },
    })
    await world.serve([server], { listen: 'memory:s', layers: [within] })
    const atClient: unknown[] = []
    const client = world.connect('memory:s', {
      layers: [
        (next) => async (call) => {
          atClient.push(storage.getStore())
          const reply = await next(call)
          atClient.push(storage.getStore())
          return reply
        },
      ],
    })
    const s = client.service('s') as any
    const ask = (id: string) =>
      storage.run(`mine-${id}`, async () => {
        const reply = await s.$with({ metadata: { id } }).go()
        return [reply, storage.getStore()]
      })
    const both = Promise.all([ask('1'), ask('2')])
    await world.clock.advance(100)
    assert.deepEqual(await both, [
      ['1', 'mine-1'],
      ['2', 'mine-2'],
    ])
    assert.deepEqual(seen, [
      ['1', '1'],
      ['2', '2'],
    ])
    assert.deepEqual(
      atClient.toSorted((a, b) => String(a).localeCompare(String(b))),
      ['mine-1', 'mine-1', 'mine-2', 'mine-2'],
    )
    const items: unknown[] = []
    const loop = storage.run('mine', async () => {
      for await (const item of s.$with({ metadata: { id: '3' } }).items())
        items.push(item, storage.getStore())
    })
    await world.clock.advance(100)
    await loop
    assert.deepEqual(items, ['3', 'mine', '3', 'mine'], 'a generator runs in the context of its handler')
  })

  it('that a handler enters ends with it, and each handler has its own call, now and later', async () => {
    const storage = new AsyncLocalStorage<string>()
    const later: unknown[] = []
    const see = () => [currentCall()?.args.list[0], storage.getStore()]
    const server = service('s', {
      now: (_id: number) => see(),
      async after(_id: number) {
        const before = see()
        await new Promise((resolve) => setImmediate(resolve))
        return [before, see()]
      },
      leaving(_id: number) {
        void Promise.resolve().then(() => later.push(see()))
        return storage.run('inner', see)
      },
      fails(_id: number) {
        throw new RpcError('aborted', String(currentCall()?.args.list[0]))
      },
    })
    await using served = await serve([server], { port: 0 })
    await using client = connect(served.targets)
    const s = client.service('s') as any
    const all = [s.now(1), s.after(2), s.leaving(3), s.$try.fails(4), s.now(5)]
    const [first, second, third, fourth, fifth] = await Promise.all(all)
    assert.deepEqual(
      [first, fifth],
      [
        [1, undefined],
        [5, undefined],
      ],
    )
    assert.deepEqual(second, [
      [2, undefined],
      [2, undefined],
    ])
    assert.deepEqual([third, later], [[3, 'inner'], [[3, undefined]]])
    assert.equal(fourth.error.message, '4')
  })
})
