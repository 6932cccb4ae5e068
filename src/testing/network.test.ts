import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RpcError } from '../core/error.ts'
import { seededRandom } from '../core/random.ts'
import { transportSuite } from '../transports/transport.suite.ts'
import { createTestNetwork, type TestConnection } from './network.ts'
import { type ScriptedPeer, scriptedPeer } from './scripted-peer.ts'
import { createVirtualClock } from './virtual-clock.ts'

const signal = () => new AbortController().signal
const at = (name: string) => ({ transport: 'memory', name }) as const
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

for (const cut of ['never', 'anywhere', 'everywhere'] as const) {
  transportSuite(
    `test network, cut ${cut}`,
    async () => {
      const network = createTestNetwork({ clock: createVirtualClock(), random: seededRandom(7) })
      network.set({ cut })
      let made = 0
      return {
        server: network.transport,
        client: network.transport,
        free: () => at(`free-${++made}`),
        nowhere: () => at('nowhere'),
        async [Symbol.asyncDispose]() {},
      }
    },
    // A million chunks of one byte are slow and show nothing that the other two do not.
    cut === 'everywhere' ? 'covered by a test of its own' : false,
  )
}

async function meet(seed = 1) {
  const clock = createVirtualClock()
  const network = createTestNetwork({ clock, random: seededRandom(seed) })
  const far = Promise.withResolvers<ScriptedPeer>()
  await network.at('b').listen(at('server'), (wire) => far.resolve(scriptedPeer(wire)))
  const near = scriptedPeer(await network.at('a').dial(at('server'), signal()))
  const [connection] = network.connections as readonly [TestConnection]
  return { clock, network, near, far: await far.promise, connection }
}

test('latency, jitter and rate: bytes arrive when they should, in order', async () => {
  const { clock, network, near, far } = await meet()
  network.set({ latencyMs: 10 })
  near.send('abc')
  await clock.advance(9)
  assert.equal(far.received, 0)
  await clock.advance(1)
  assert.equal(far.received, 3)

  network.set({ latencyMs: 0, bytesPerMs: 100 })
  near.send(new Uint8Array(1000))
  await clock.advance(9)
  assert.equal(far.received, 3)
  await clock.advance(1)
  assert.equal(far.received, 1003)

  network.set({ latencyMs: 1, jitterMs: 50, bytesPerMs: Number.POSITIVE_INFINITY })
  await far.read(1003)
  for (let i = 0; i < 10; i++) near.send(String(i))
  await clock.advance(51)
  assert.equal(text(await far.read(10)), '0123456789')
})

test('one byte at a time', async () => {
  const { clock, network, near, far } = await meet()
  network.set({ cut: 'everywhere' })
  const sizes: number[] = []
  far.wire.onData = (chunk) => sizes.push(chunk.length)
  near.send('abcde')
  await clock.settle()
  assert.deepEqual(sizes, [1, 1, 1, 1, 1])
})

test('the same seed cuts and delays in the same way, another one differently', async () => {
  const run = async (seed: number) => {
    const { clock, network, near, far } = await meet(seed)
    network.set({ cut: 'anywhere', latencyMs: 5, jitterMs: 20 })
    const seen: string[] = []
    far.wire.onData = (chunk) => seen.push(`${chunk.length}@${clock.now()}`)
    near.send(new Uint8Array(1000))
    await clock.runUntilIdle()
    return seen.join(' ')
  }
  assert.equal(await run(3), await run(3))
  assert.notEqual(await run(3), await run(4))
})

test('a partition holds everything back, dials too, until it is healed', async () => {
  const { clock, network, near, far } = await meet()
  const heal = network.partition('a', 'b')
  near.send('held')
  const dialling = network.at('a').dial(at('server'), signal())
  const abort = new AbortController()
  const given = network.at('a').dial(at('server'), abort.signal)
  const other = await network.at('c').dial(at('server'), signal())
  await clock.advance(60_000)
  assert.equal(far.received, 0)
  abort.abort(new RpcError('cancelled', 'took too long'))
  await assert.rejects(given, /took too long/)
  heal()
  heal()
  assert.equal(text(await far.read(4)), 'held')
  ;(await dialling).close()
  other.close()
})

test('a host alone reaches nobody; two others still do', async () => {
  const { clock, network, near, far } = await meet()
  const heal = network.partition('b')
  near.send('x')
  await clock.advance(1000)
  assert.equal(far.received, 0)
  heal()
  await clock.settle()
  assert.equal(far.received, 1)
})

test('a connection is cut after so many bytes, and both ends are told', async () => {
  const { near, far, connection } = await meet()
  connection.toListener.cutAfter(5)
  near.send('hello world')
  assert.match(String((await near.closed)?.message), /reset/)
  assert.match(String((await far.closed)?.message), /reset/)
  assert.equal(far.received, 5)
})

test('a fault can be planned for a connection before its first byte', async () => {
  const { network } = await meet()
  network.onConnection = (connection) => connection.toListener.cutAfter(0)
  const near = scriptedPeer(await network.at('a').dial(at('server'), signal()))
  assert.match(String((await near.closed)?.message), /reset/)
})

test('a byte can be corrupted', async () => {
  const { near, far, connection } = await meet()
  connection.toListener.corruptAt(2)
  near.send(new Uint8Array([1, 2, 3, 4]))
  assert.deepEqual([...(await far.read(4))], [1, 2, 252, 4])
})

test('a blackhole swallows one direction only, and nobody is told', async () => {
  const { clock, near, far, connection } = await meet()
  connection.toListener.blackhole()
  near.send('lost')
  far.send('heard')
  near.wire.end()
  await clock.advance(1_000_000)
  assert.equal(far.received, 0)
  assert.equal(far.hasEnded, false)
  assert.equal(near.received, 5)
})

test('a frozen reader makes the sender queue', async () => {
  const { clock, near, far, connection } = await meet()
  connection.toListener.freeze()
  let drained = 0
  near.wire.onDrain = () => drained++
  near.send(new Uint8Array(1024 * 1024))
  await clock.settle()
  assert.ok(near.wire.out.queued > 500_000)
  connection.toListener.freeze(false)
  await clock.settle()
  assert.equal(near.wire.out.queued, 0)
  assert.equal(drained, 1)
  assert.equal(far.received, 1024 * 1024)
})

test('reset, half-close and refusal', async () => {
  const { clock, network, near, far, connection } = await meet()
  connection.toDialer.endNow()
  await clock.settle()
  assert.equal(near.hasEnded, true)
  connection.reset()
  assert.match(String((await far.closed)?.message), /reset/)
  const heal = network.refuse('server')
  await assert.rejects(network.transport.dial(at('server'), signal()), /nothing listens at memory:server/)
  heal()
  ;(await network.transport.dial(at('server'), signal())).close()
})
