import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { method, RpcError, service } from 'farcall'
import { scriptedPeer } from 'farcall/testing'
import { createVirtualWorld, watch } from './support/virtual.ts'

// Connections that break at each byte, in each way, and what the errors say. Time is virtual.

function counted() {
  const executed = { once: 0, again: 0 }
  const members = service('work', {
    once: (text: string) => {
      executed.once++
      return text.toUpperCase()
    },
    again: method({ idempotent: true }, (text: string) => {
      executed.again++
      return text.toUpperCase()
    }),
    async *items(count: number) {
      for (let n = 0; n < count; n++) yield n
    },
    total: async (items: AsyncIterable<number>) => {
      let total = 0
      for await (const n of items) total += n
      return total
    },
    hang: () => new Promise(() => {}),
  })
  return { executed, members }
}

type Break = 'reset' | 'end' | 'corrupt' | 'blackhole'

/** One run in which the first connection breaks after so many bytes, in one direction. */
async function broken(how: Break, direction: 'toListener' | 'toDialer', at: number) {
  const world = createVirtualWorld()
  const { executed, members } = counted()
  await world.serve([members], { listen: 'memory:s' })
  await world.serve([members], { listen: 'memory:t' })
  const client = world.connect(['memory:s', 'memory:t'])
  const w = client.service('work') as any
  world.network.onConnection = (connection) => {
    if (world.network.connections.length > 1) return
    const lane = connection[direction]
    if (how === 'reset') lane.cutAfter(at)
    else if (how === 'corrupt') lane.corruptAt(at)
    else {
      const { clock } = world
      // Byte by byte, so that the break comes where it is meant to.
      const look = () => {
        if (lane.passed < at) return void clock.after(1, look)
        if (how === 'end') lane.endNow()
        else lane.blackhole()
      }
      look()
    }
  }
  if (how === 'end' || how === 'blackhole') world.network.set({ cut: 'everywhere', bytesPerMs: 10 })
  const once = watch(w.once('a'))
  // A client that has not asked before does not know it by itself.
  const again = watch(w.$with({ idempotent: true }).again('b'))
  const streamed = watch(collect(w.$with({ timeoutMs: 10_000 }).items(3)))
  const total = watch(w.total(numbers(3)))
  await world.clock.advance(10_100)
  return { world, client, executed, once, again, streamed, total }
}

async function collect(items: AsyncIterable<number>): Promise<number[]> {
  const all: number[] = []
  for await (const item of items) all.push(item)
  return all
}

async function* numbers(count: number) {
  for (let n = 0; n < count; n++) yield n
}

// What a whole conversation takes, each way.
async function conversation(): Promise<{ toListener: number; toDialer: number }> {
  const { world } = await broken('reset', 'toListener', Number.POSITIVE_INFINITY)
  const [connection] = world.network.connections
  return { toListener: connection?.toListener.passed ?? 0, toDialer: connection?.toDialer.passed ?? 0 }
}

for (const how of ['reset', 'end', 'corrupt', 'blackhole'] as const) {
  for (const direction of ['toListener', 'toDialer'] as const) {
    it(`${how} ${how === 'reset' || how === 'corrupt' ? 'at every byte' : 'at many bytes'} ${direction === 'toListener' ? 'to the server' : 'to the client'}`, async () => {
      const whole = (await conversation())[direction]
      assert.ok(whole > 200 && whole < 2_000, `${whole} bytes`)
      // Those that go byte by byte take time; a prime meets every kind of place.
      const step = how === 'end' || how === 'blackhole' ? 7 : 1
      for (let at = 0; at <= whole; at += step) {
        const where = `${how} at byte ${at} of ${whole}`
        const { world, client, executed, ...calls } = await broken(how, direction, at)
        for (const [name, call] of Object.entries(calls)) {
          assert.equal(call.settled, 1, `${where}: ${name} settled ${call.settled} times`)
          if (call.error === undefined) continue
          assert.ok(RpcError.is(call.error), `${where}: ${name}`)
          assert.ok(call.error.phase !== undefined, `${where}: ${name} says no phase: ${call.error.message}`)
        }
        // Damaged bytes may say anything; what is broken off never counts as an answer.
        if (how !== 'corrupt') {
          assert.ok(executed.once <= 1, `${where}: executed ${executed.once} times`)
          if (calls.once.error === undefined) assert.equal(calls.once.value, 'A', where)
          if (calls.streamed.error === undefined) assert.deepEqual(calls.streamed.value, [0, 1, 2], where)
          if (calls.total.error === undefined) assert.equal(calls.total.value, 3, where)
        }
        if (how === 'reset' || how === 'end')
          assert.deepEqual([calls.again.value, calls.again.error], ['B', undefined], where)
        assert.equal(client.status().pendingCalls, 0, where)
        assert.deepEqual(
          world.log.filter(({ level }) => level === 'error'),
          [],
          where,
        )
      }
    })
  }
}

describe('an error says in which phase it happened, and where', () => {
  const phaseOf = (seen: { error?: any }) => [seen.error?.code, seen.error?.phase]

  it('connect: refused, or nobody answers', async () => {
    const world = createVirtualWorld()
    const refused = watch((world.connect('memory:nobody').service('work') as any).once('a'))
    await world.clock.advance(200)
    assert.deepEqual(phaseOf(refused), ['unavailable', 'connect'])
    assert.match(
      refused.error.message,
      /no instance of 'work' can be reached: .*nothing listens at memory:nobody/,
    )
    await world.at('far').serve([counted().members], { listen: 'memory:far' })
    world.network.partition('far')
    const hanging = watch(
      (world.connect('memory:far').service('work') as any).$with({ timeoutMs: 500 }).once('a'),
    )
    await world.clock.advance(600)
    assert.deepEqual(phaseOf(hanging), ['deadline_exceeded', 'connect'])
  })

  it('negotiate: a peer that accepts and says nothing', async () => {
    const world = createVirtualWorld()
    await world.network.transport.listen(
      { transport: 'memory', name: 'mute' },
      (wire) => void scriptedPeer(wire),
    )
    const reply = watch(
      (world.connect('memory:mute').service('work') as any).$with({ timeoutMs: 500 }).once('a'),
    )
    await world.clock.advance(600)
    assert.deepEqual(phaseOf(reply), ['deadline_exceeded', 'negotiate'])
    assert.match(
      reply.error.message,
      /work\.once: no answer within 500 ms, in phase 'negotiate' \(memory:mute\)/,
    )
  })

  it('negotiate: a peer that speaks something else', async () => {
    const world = createVirtualWorld()
    await world.network.transport.listen({ transport: 'memory', name: 'ssh' }, (wire) =>
      scriptedPeer(wire).send('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'),
    )
    const reply = watch((world.connect('memory:ssh').service('work') as any).once('a'))
    await world.clock.advance(2_000)
    assert.deepEqual(phaseOf(reply), ['unavailable', 'connect'])
    assert.match(reply.error.message, /does not speak the farcall protocol/)
  })

  it('wait: a handler that does not answer; receive: a connection that breaks in the reply', async () => {
    const world = createVirtualWorld()
    await world.serve([counted().members], { listen: 'memory:s' })
    const w = world.connect('memory:s').service('work') as any
    const late = watch(w.$with({ timeoutMs: 100 }).hang())
    await world.clock.advance(200)
    assert.deepEqual(phaseOf(late), ['deadline_exceeded', 'wait'])
    const cut = watch(w.hang())
    await world.clock.settle()
    world.network.connections[0]?.reset()
    await world.clock.settle()
    assert.deepEqual(phaseOf(cut), ['unavailable', 'wait'])
    assert.match(cut.error.message, /ECONNRESET/)
  })

  it('send: what cannot be sent', async () => {
    const world = createVirtualWorld()
    await world.serve([counted().members], { listen: 'memory:s' })
    const w = world.connect('memory:s', { limits: { maxMessageBytes: 1_000 } }).service('work') as any
    const large = watch(w.once('x'.repeat(2_000)))
    const never = watch(w.once(() => 1))
    await world.clock.settle()
    assert.deepEqual([large.error?.code, large.error?.phase], ['resource_exhausted', 'send'])
    assert.deepEqual([never.error?.code, never.error?.phase], ['invalid_argument', 'send'])
  })

  it('of a client that is closed, and of a server that stopped: at once, and which', async () => {
    const world = createVirtualWorld()
    const server = await world.serve([counted().members], { listen: 'memory:s' })
    const client = world.connect('memory:s')
    const w = client.service('work') as any
    const before = watch(w.hang())
    await world.clock.settle()
    const closing = server.close({ graceMs: 0 })
    await world.clock.advance(3_000)
    await closing
    assert.equal(before.error?.code, 'unavailable')
    assert.match(before.error.message, /the server has stopped/)
    const nobody = watch(w.once('a'))
    await world.clock.settle()
    assert.equal(nobody.error?.code, 'unavailable')
    assert.match(nobody.error.message, /no instance of 'work' can be reached: .*memory:s/)
    assert.equal(client.status().endpoints[0]?.usable, false)
    const hanging = watch(w.once('b'))
    await Promise.all([client.close(), client.close()])
    const after = watch(w.once('c'))
    await world.clock.settle()
    assert.equal(hanging.settled, 1)
    assert.deepEqual([after.error?.code, after.error?.message], ['unavailable', 'the client is closed'])
    await assert.rejects(client.endpoints('work'), { code: 'unavailable', message: 'the client is closed' })
  })
})

it('more calls than a client may hold fail at once; those that it holds go on', async () => {
  const world = createVirtualWorld()
  await world.serve([counted().members], { listen: 'memory:s' })
  const client = world.connect('memory:s')
  const w = client.service('work') as any
  const counts: Record<string, number> = {}
  const abort = new AbortController()
  const { hang } = w.$with({ signal: abort.signal, timeoutMs: 60_000 })
  for (let i = 0; i < 100_000; i++) {
    hang().catch((error: RpcError) => {
      counts[error.code] = (counts[error.code] ?? 0) + 1
    })
  }
  await world.clock.settle()
  assert.deepEqual(counts, { resource_exhausted: 90_000 })
  assert.equal(client.status().pendingCalls, 10_000)
  abort.abort()
  await world.clock.settle()
  assert.deepEqual(counts, { resource_exhausted: 90_000, cancelled: 10_000 })
  assert.equal(await stepOf(world, w.once('a')), 'A')
})

async function stepOf(
  world: ReturnType<typeof createVirtualWorld>,
  reply: Promise<unknown>,
): Promise<unknown> {
  await world.clock.advance(1_000)
  return await reply
}
