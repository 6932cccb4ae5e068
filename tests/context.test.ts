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
  type FarcallClient,
  type Layer,
  method,
  nodeParts,
  type RpcError,
  serve,
  service,
  silentLogger,
} from 'farcall'
import { createVirtualWorld, watch } from './support/virtual.ts'

// What a call hands on to the calls that are made inside of it, and what it does not. Time is virtual.

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/**
 * Three servers in a row, a → b → c: each handler calls the next one and passes nothing on. The leaf notes its call and
 * waits until it is aborted.
 */
async function chain(options: { forwardMetadata?: string[] } = {}) {
  const world = createVirtualWorld()
  const leafs: { call: Call; reason?: RpcError; remainingMs: number }[] = []
  const next = (name: string): any => inner(name).service(name)
  const clients = new Map<string, FarcallClient>()
  const inner = (name: string) => {
    const made = clients.get(name) ?? world.connect(`memory:${name}`, options)
    clients.set(name, made)
    return made
  }
  const steps = { a: 'b', b: 'c' } as const
  const middle = (name: 'a' | 'b') =>
    service(name, {
      async go() {
        await Promise.resolve()
        return await next(steps[name]).go()
      },
      async *items() {
        for await (const item of next(steps[name]).items()) yield item
      },
    })
  const c = service('c', {
    go() {
      const call = currentCall() as Call
      const leaf: (typeof leafs)[number] = { call, remainingMs: call.remainingMs() }
      leafs.push(leaf)
      return new Promise((_, reject) => {
        call.signal.addEventListener('abort', () => {
          leaf.reason = call.signal.reason as RpcError
          reject(call.signal.reason)
        })
      })
    },
    async *items() {
      const call = currentCall() as Call
      const leaf: (typeof leafs)[number] = { call, remainingMs: call.remainingMs() }
      leafs.push(leaf)
      call.onCancel((reason) => {
        leaf.reason = reason
      })
      for (let n = 0; ; n++) {
        await new Promise<void>((resolve) => world.clock.after(10, resolve))
        yield n
      }
    },
  })
  const servers = await Promise.all([
    world.serve([middle('a')], { listen: 'memory:a' }),
    world.serve([middle('b')], { listen: 'memory:b' }),
    world.serve([c], { listen: 'memory:c' }),
  ])
  return { world, clock: world.clock, leafs, servers, a: next('a'), inner }
}

describe('a chain of calls that passes nothing on', () => {
  it('hands the remaining time down to the leaf', async () => {
    const { world, clock, leafs, a } = await chain()
    world.network.set({ latencyMs: 20 })
    const reply = watch(a.$with({ timeoutMs: 500 }).go())
    await clock.advance(300)
    const [leaf] = leafs
    assert.ok(leaf !== undefined)
    assert.ok(leaf.remainingMs > 0 && leaf.remainingMs <= 500, `${leaf.remainingMs} ms remained`)
    await clock.advance(300)
    assert.equal(reply.settled, 1)
    assert.equal(reply.error.code, 'deadline_exceeded')
    assert.equal(leaf.reason?.code, 'deadline_exceeded')
    assert.equal(leaf.call.ended, true)
  })

  it('aborts the leaf within 50 ms when the caller cancels', async () => {
    const { world, clock, leafs, servers, a } = await chain()
    world.network.set({ latencyMs: 5 })
    const abort = new AbortController()
    const reply = watch(a.$with({ signal: abort.signal }).go())
    await clock.advance(100)
    assert.equal(leafs.length, 1)
    abort.abort()
    await clock.settle()
    assert.equal(reply.error?.code, 'cancelled', 'the caller is settled at once')
    assert.equal(leafs[0]?.call.cancelled, undefined)
    await clock.advance(50)
    assert.equal(leafs[0]?.reason?.code, 'cancelled')
    assert.deepEqual(
      servers.map((server) => server.stats().inFlight),
      [0, 0, 0],
    )
  })

  it('aborts the leaf when the caller is gone', async () => {
    const { world, clock, leafs, a } = await chain()
    const reply = watch(a.go())
    await clock.advance(10)
    assert.equal(leafs.length, 1)
    world.network.connections.find(({ name }) => name === 'a')?.reset()
    await clock.advance(10)
    assert.equal(reply.error?.code, 'unavailable')
    assert.equal(leafs[0]?.reason?.code, 'cancelled')
  })

  it('starts no work after the deadline', async () => {
    const { world, clock, leafs, a } = await chain()
    world.network.set({ latencyMs: 60 })
    // Each hop takes a connection and a message: at the leaf the time is over.
    const reply = watch(a.$with({ timeoutMs: 300 }).go())
    await clock.advance(300)
    assert.equal(reply.error?.code, 'deadline_exceeded')
    const before = leafs.length
    await clock.advance(5_000)
    assert.equal(leafs.length, before, 'the leaf was started after the deadline')
    assert.equal(before, 0)
  })

  it('a stream is left by the caller, and the generator at the leaf ends', async () => {
    const { clock, leafs, servers, a } = await chain()
    const got: number[] = []
    const loop = (async () => {
      for await (const n of a.items()) {
        got.push(n)
        if (n === 3) break
      }
    })()
    await clock.advance(1_000)
    await loop
    assert.deepEqual(got, [0, 1, 2, 3])
    assert.equal(leafs[0]?.reason?.code, 'cancelled')
    assert.deepEqual(
      servers.map((server) => server.stats().inFlight),
      [0, 0, 0],
    )
  })

  it('a stream without a time-out outlives the 10 s of its first item, all the way down', async () => {
    const { clock, leafs, a } = await chain()
    let count = 0
    const abort = new AbortController()
    const loop = watch(
      (async () => {
        for await (const _ of a.$with({ signal: abort.signal }).items()) count++
      })(),
    )
    await clock.advance(60_000)
    assert.ok(count > 5_000, `${count} items`)
    assert.equal(loop.settled, 0)
    abort.abort()
    await clock.advance(50)
    assert.equal(loop.error?.code, 'cancelled')
    assert.equal(leafs[0]?.reason?.code, 'cancelled')
  })

  it('a stream with a time-out is bounded by it to its end, all the way down', async () => {
    const { clock, leafs, a } = await chain()
    const loop = watch(drain(a.$with({ timeoutMs: 2_000 }).items()))
    await clock.advance(2_100)
    assert.equal(loop.error?.code, 'deadline_exceeded')
    assert.equal(leafs[0]?.call.ended, true)
  })

  it('a time-out of the method shortens what its own calls get', async () => {
    const world = createVirtualWorld()
    const seen: number[] = []
    const leaf = service('leaf', { go: () => void seen.push(currentCall()?.remainingMs() ?? -1) })
    const client = world.connect('memory:leaf')
    const front = service('front', {
      go: method({ timeoutMs: 70 }, async () => {
        await (client.service('leaf') as any).go()
      }),
    })
    await world.serve([leaf], { listen: 'memory:leaf' })
    await world.serve([front], { listen: 'memory:front' })
    const reply = watch((world.connect('memory:front').service('front') as any).go())
    await world.clock.advance(10)
    assert.equal(reply.settled, 1)
    assert.deepEqual(seen, [70])
  })
})

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

describe('metadata', () => {
  it('goes on only if its key is listed; trace always', async () => {
    const { clock, leafs, a } = await chain({ forwardMetadata: ['tenant'] })
    watch(
      a.$with({ metadata: { traceparent, tracestate: 'x=1', Tenant: 'a', authorization: 'secret' } }).go(),
    )
    await clock.advance(100)
    assert.deepEqual({ ...leafs[0]?.call.metadata.toJSON() }, { traceparent, tracestate: 'x=1', tenant: 'a' })
  })
})

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
})

// In a second, as part of the call that runs now: a timer of a user's own, as a virtual clock has none.
function later(world: ReturnType<typeof createVirtualWorld>, fn: () => void): void {
  world.clock.after(1_000, AsyncResource.bind(fn))
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

async function step<T>(world: ReturnType<typeof createVirtualWorld>, reply: PromiseLike<T>): Promise<T> {
  const seen = watch(reply)
  await world.clock.advance(100)
  assert.equal(seen.settled, 1, 'not settled within 100 ms')
  if (seen.error !== undefined) throw seen.error
  return seen.value as T
}
