import assert from 'node:assert/strict'
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { describe, it } from 'node:test'
import {
  type Call,
  type Clock,
  connect,
  createFarcall,
  currentCall,
  detached,
  nodeParts,
  serve,
  service,
  silentLogger,
} from 'farcall'
import { createVirtualWorld, watch } from './support/virtual.ts'

// What a call hands on to the calls that are made inside of it, and what it does not. Time is virtual.

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

describe('the call that code belongs to', () => {
  async function one(members: Record<string, any>, options: object = {}) {
    const world = createVirtualWorld()
    const server = await world.serve([service('s', members)], { listen: 'memory:s', ...options })
    const client = world.connect('memory:s')
    return { world, clock: world.clock, server, client, s: client.service('s') as any }
  }

  it('is known after awaits, in timers, and in every part of a generator', async () => {
    const seen: [string, unknown][] = []
    const note = (where: string) => seen.push([where, currentCall()?.metadata.get('id')])
    const { world, clock, s } = await one({
      async go() {
        note('start')
        await Promise.resolve()
        note('after await')
        await new Promise<void>((resolve) => world.clock.after(10, resolve))
        note('after timer')
        setImmediate(() => note('immediate'))
        queueMicrotask(() => note('microtask'))
      },
      async *items() {
        try {
          note('first')
          yield 1
          note('second')
          await new Promise<void>((resolve) => world.clock.after(10, resolve))
          note('third')
          yield 2
          yield 3
        } finally {
          note('finally')
          await Promise.resolve()
          note('after finally')
        }
      },
    })
    const call = s.$with({ metadata: { id: '7' } }).go()
    await clock.advance(100)
    await call
    const loop = (async () => {
      for await (const n of s.$with({ metadata: { id: '8' } }).items()) if (n === 2) break
    })()
    await clock.advance(100)
    await loop
    assert.deepEqual(
      seen.map(([where, id]) => `${where} ${String(id)}`),
      [
        ...['start', 'after await', 'after timer', 'microtask', 'immediate'].map((where) => `${where} 7`),
        ...['first', 'second', 'third', 'finally', 'after finally'].map((where) => `${where} 8`),
      ],
    )
  })

  it('is another one for each of many at once', async () => {
    const { world, clock, s } = await one({
      async go(id: string) {
        for (let i = 0; i < 5; i++) {
          await new Promise<void>((resolve) => world.clock.after(1 + (Number(id) % 3), resolve))
          assert.equal(currentCall()?.metadata.get('id'), id)
        }
        return currentCall()?.metadata.get('id')
      },
    })
    const ids = Array.from({ length: 50 }, (_, i) => String(i))
    const replies = Promise.all(ids.map((id) => s.$with({ metadata: { id } }).go(id)))
    await clock.advance(100)
    assert.deepEqual(await replies, ids)
  })

  it('is nobody on the client, also in code that a reply resumes', async () => {
    const { clock, s } = await one({ go: () => 1 })
    const after = s.go().then(() => currentCall())
    await clock.advance(10)
    assert.equal(await after, undefined)
    assert.equal(currentCall(), undefined)
  })
})

describe('an argument that streams', () => {
  const sink = service('sink', {
    ping: () => 1,
    async total(items: AsyncIterable<string>) {
      let total = 0
      for await (const item of items) {
        total += item.length
        await new Promise((resolve) => setImmediate(resolve))
      }
      return total
    },
  })
  // More than the credit of a stream, so that its producer is made to wait and is woken by the connection.
  const count = 40
  async function* large(look: () => void) {
    for (let i = 0; i < count; i++) {
      look()
      yield 'x'.repeat(20_000)
    }
  }

  it('is made as part of the call that sends it', async () => {
    await using server = await serve([sink], { port: 0 })
    await using client = connect(server.targets)
    const seen = new Set<unknown>()
    const front = service('front', {
      go: () => client.service<typeof sink>('sink').total(large(() => seen.add(currentCall()?.name))),
    })
    await using outer = await serve([front], { port: 0 })
    await using caller = connect(outer.targets)
    assert.equal(await caller.service<typeof front>('front').go(), count * 20_000)
    assert.deepEqual([...seen], ['front.go'])
  })

  it("sees the AsyncLocalStorage of whoever sends it, not that of the connection's first user", async () => {
    const storage = new AsyncLocalStorage<string>()
    await using server = await serve([sink], { port: 0 })
    await using client = connect(server.targets)
    const s = client.service<typeof sink>('sink')
    await storage.run('first', () => s.ping())
    const seen = new Set<unknown>()
    await storage.run('second', () => s.total(large(() => seen.add(storage.getStore()))))
    assert.deepEqual([...seen], ['second'])
  })
})

describe('a call that has ended', () => {
  it('keeps its trace and nothing else; detached drops that too', async () => {
    const world = createVirtualWorld()
    const seen: { metadata: object; remainingMs: number }[] = []
    const leaf = service('leaf', {
      go() {
        const call = currentCall() as Call
        seen.push({ metadata: { ...call.metadata.toJSON() }, remainingMs: call.remainingMs() })
      },
    })
    const client = world.connect('memory:leaf', { forwardMetadata: ['tenant'] })
    const l = client.service('leaf') as any
    const results: ReturnType<typeof watch>[] = []
    const front = service('front', {
      async go() {
        await l.go()
        // Left behind on purpose: it runs when the call is long over.
        later(world, () => results.push(watch(l.go())))
        later(world, () => results.push(watch(detached(() => l.go()))))
        return 'done'
      },
    })
    await world.serve([leaf], { listen: 'memory:leaf' })
    await world.serve([front], { listen: 'memory:front' })
    const f = world.connect('memory:front').service('front') as any
    const reply = watch(f.$with({ timeoutMs: 500, metadata: { traceparent, tenant: 'a', secret: 'b' } }).go())
    await world.clock.advance(2_000)
    assert.equal(reply.value, 'done')
    assert.deepEqual(
      results.map(({ error }) => error),
      [undefined, undefined],
    )
    assert.deepEqual(seen, [
      { metadata: { traceparent, tenant: 'a' }, remainingMs: 500 },
      { metadata: { traceparent }, remainingMs: 10_000 },
      { metadata: {}, remainingMs: 10_000 },
    ])
  })

  it('a detached call goes on when the one that made it is cancelled', async () => {
    const world = createVirtualWorld()
    const gate = Promise.withResolvers<string>()
    await world.serve([service('leaf', { go: () => gate.promise })], { listen: 'memory:leaf' })
    const l = world.connect('memory:leaf').service('leaf') as any
    let left: ReturnType<typeof watch> | undefined
    const front = service('front', {
      go() {
        left = watch(detached(() => l.go()))
        return new Promise(() => {})
      },
    })
    await world.serve([front], { listen: 'memory:front' })
    const abort = new AbortController()
    const f = world.connect('memory:front').service('front') as any
    const reply = watch(f.$with({ signal: abort.signal }).go())
    await world.clock.advance(10)
    abort.abort()
    await world.clock.advance(10)
    assert.equal(reply.error?.code, 'cancelled')
    assert.equal(left?.settled, 0)
    gate.resolve('still here')
    await world.clock.advance(10)
    assert.equal(left?.value, 'still here')
  })
})

describe('what belongs to no call', () => {
  it('a connection that a handler was the first to need serves others when that handler is long over', async () => {
    const world = createVirtualWorld()
    const seen: { id: string | undefined; trace: string | undefined; remainingMs: number }[] = []
    const leaf = service('leaf', {
      go() {
        const call = currentCall() as Call
        seen.push({
          id: call.metadata.get('tenant'),
          trace: call.metadata.get('traceparent'),
          remainingMs: call.remainingMs(),
        })
      },
      async *items() {
        for (let n = 0; ; n++) {
          await new Promise<void>((resolve) => world.clock.after(10, resolve))
          yield n
        }
      },
    })
    await world.serve([leaf], { listen: 'memory:leaf' })
    const shared = world.connect('memory:leaf', { forwardMetadata: ['tenant'] })
    const l = shared.service('leaf') as any
    const front = service('front', { go: () => l.go() })
    await world.serve([front], { listen: 'memory:front' })
    const f = world.connect('memory:front').service('front') as any

    const abort = new AbortController()
    const options = { signal: abort.signal, timeoutMs: 50, metadata: { traceparent, tenant: 'a' } }
    await step(world, f.$with(options).go())
    abort.abort()
    // Past the deadline of the call that opened the connection, over keepalives, and from outside of any call.
    await world.clock.advance(100_000)
    await step(world, l.go())
    await step(world, f.go())
    assert.deepEqual(seen, [
      { id: 'a', trace: traceparent, remainingMs: 50 },
      { id: undefined, trace: undefined, remainingMs: 10_000 },
      { id: undefined, trace: undefined, remainingMs: 10_000 },
    ])
    assert.equal(world.network.connections.filter(({ name }) => name === 'leaf').length, 1, 'one connection')
  })

  it('a stream that a handler leaves open ends with it; the connection stays', async () => {
    const world = createVirtualWorld()
    let open = 0
    const leaf = service('leaf', {
      go: () => 1,
      async *items() {
        open++
        try {
          for (let n = 0; ; n++) {
            await new Promise<void>((resolve) => world.clock.after(10, resolve))
            yield n
          }
        } finally {
          open--
        }
      },
    })
    await world.serve([leaf], { listen: 'memory:leaf' })
    const l = world.connect('memory:leaf').service('leaf') as any
    const front = service('front', {
      async go() {
        const items = l.items()[Symbol.asyncIterator]()
        await items.next()
        return new Promise(() => {})
      },
    })
    await world.serve([front], { listen: 'memory:front' })
    const abort = new AbortController()
    const f = world.connect('memory:front').service('front') as any
    const reply = watch(f.$with({ signal: abort.signal }).go())
    await world.clock.advance(100)
    assert.equal(open, 1)
    abort.abort()
    await world.clock.advance(100)
    assert.equal(reply.settled, 1)
    assert.equal(open, 0)
    assert.equal(await step(world, l.go()), 1)
  })

  it('timers of Farcall that were started within a handler fire outside of it', async () => {
    const inside: string[] = []
    const cancels: (() => void)[] = []
    const spy = (ms: number, fn: () => void, start: Clock['after']) => {
      const cancel = start(ms, () => {
        if (currentCall() !== undefined) inside.push(`timer of ${ms} ms`)
        fn()
      })
      cancels.push(cancel)
      return cancel
    }
    const { clock: systemClock } = nodeParts
    const clock: Clock = {
      ...systemClock,
      after: (ms, fn) => spy(ms, fn, systemClock.after),
      afterInBackground: (ms, fn) => spy(ms, fn, systemClock.afterInBackground),
    }
    const farcall = createFarcall({ ...nodeParts, clock, logger: silentLogger })
    const leaf = service('leaf', { go: () => new Promise(() => {}) })
    await using leafs = await farcall.serve([leaf], { port: 0, drainTimeoutMs: 0 })
    await using client = farcall.connect(leafs.targets)
    await using gone = farcall.connect('tcp://127.0.0.1:1')
    const front = service('front', {
      go: () =>
        Promise.all([
          (client.service('leaf') as any).$with({ timeoutMs: 20 }).$try.go(),
          (gone.service('leaf') as any).$with({ timeoutMs: 20, idempotent: true }).$try.go(),
        ]),
    })
    await using server = await farcall.serve([front], { port: 0 })
    await using outer = farcall.connect(server.targets)
    const codes = (await (outer.service('front') as any).go()).map(({ error }: any) => error.code)
    assert.deepEqual(codes, ['deadline_exceeded', 'unavailable'])
    assert.ok(cancels.length > 0)
    assert.deepEqual(inside, [])
  })
})

// In a second, as part of the call that runs now: a timer of a user's own, as a virtual clock has none.
function later(world: ReturnType<typeof createVirtualWorld>, fn: () => void): void {
  world.clock.after(1_000, AsyncResource.bind(fn))
}

async function step<T>(world: ReturnType<typeof createVirtualWorld>, reply: PromiseLike<T>): Promise<T> {
  const seen = watch(reply)
  await world.clock.advance(100)
  assert.equal(seen.settled, 1, 'not settled within 100 ms')
  if (seen.error !== undefined) throw seen.error
  return seen.value as T
}
