import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Call, currentCall, type FarcallClient, method, type RpcError, service } from 'farcall'
import { createVirtualWorld, watch } from './support/virtual.ts'

// What goes down a chain of calls by itself. Time is virtual.

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

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}
