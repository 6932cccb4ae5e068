import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RpcError } from '../core/error.ts'
import type { Layer } from '../core/layer.ts'
import { createFakeNet } from '../testing/fake-net.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { createClient, type ClientOptions } from './index.ts'

async function setUp(options: ClientOptions = {}) {
  const clock = createVirtualClock(1000)
  const net = createFakeNet(clock)
  const names = ['a', 'b', 'c']
  const peers = names.map((name) => net.peer(name))
  const client = createClient(
    net.parts,
    names.map((name) => `memory:${name}`),
    options,
  )
  const m = client.service('math') as any
  await client.endpoints('math')
  await clock.settle()
  return { clock, peers, client, m }
}

const all = (peers: { calls: { settled: boolean }[] }[]) => peers.map(({ calls }) => calls.length)

test('a broadcast calls every instance once and gives what each answered', async () => {
  const layered: string[] = []
  const layer: Layer = (next) => (call) => {
    layered.push(call.method)
    return next(call)
  }
  const { clock, peers, client, m } = await setUp({ layers: [layer] })
  const reply = m.$broadcast().add(1, 2)
  await clock.settle()
  assert.deepEqual(all(peers), [1, 1, 1])
  peers[0]!.calls[0]!.answer(3)
  peers[2]!.calls[0]!.answer(5)
  await clock.settle()
  assert.equal(client.status().pendingCalls, 1)
  peers[1]!.calls[0]!.fail(new RpcError('not_found', 'not here'))
  const results = await reply
  assert.deepEqual(
    results.map((one: any) => [one.endpoint, one.value, one.error?.message]),
    [
      ['memory:a', 3, undefined],
      ['memory:b', undefined, 'not here'],
      ['memory:c', 5, undefined],
    ],
  )
  assert.deepEqual(layered, ['add'])
  assert.equal(client.status().pendingCalls, 0)
})

test("result 'first': the first success, the others are cancelled, and it waits for them", async () => {
  const { clock, peers, m } = await setUp()
  const reply = m.$broadcast({ result: 'first' }).add()
  await clock.settle()
  peers[1]!.calls[0]!.fail(new RpcError('internal', 'broken'))
  peers[2]!.calls[0]!.answer('c')
  assert.equal(await reply, 'c')
  assert.equal(peers[0]!.calls[0]!.call.cancelled?.code, 'cancelled')
  assert.ok(peers.every((peer) => peer.held.length === 0))
})

test("result 'first': the first error where nobody succeeds", async () => {
  const { clock, peers, m } = await setUp()
  const reply = m.$broadcast({ result: 'first' }).add()
  await clock.settle()
  peers[1]!.calls[0]!.fail(new RpcError('internal', 'first'))
  peers[0]!.calls[0]!.fail(new RpcError('internal', 'second'))
  peers[2]!.calls[0]!.fail(new RpcError('internal', 'third'))
  await assert.rejects(reply, /first/)
})

test('a broadcast with a limit: those that miss it are errors, the others count', async () => {
  const { clock, peers, m } = await setUp()
  const reply = m.$broadcast({ timeoutMs: 100 }).add()
  await clock.settle()
  peers[0]!.calls[0]!.answer('in time')
  await clock.advance(110)
  const results = await reply
  assert.deepEqual(
    results.map((one: any) => one.value ?? one.error.code),
    ['in time', 'deadline_exceeded', 'deadline_exceeded'],
  )
})

test('a broadcast to nobody, of a stream, or to a closed client fails and says why', async () => {
  const { clock, client, m } = await setUp()
  await assert.rejects(
    m.$broadcast().total((async function* () {})()),
    /a stream can be read by one instance only/,
  )
  client.replace([])
  await clock.settle()
  await assert.rejects(m.$broadcast().add(), /no instance of 'math'/)
  await client.close()
  await assert.rejects(m.$broadcast().add(), /the client is closed/)
})

test('aborting a broadcast cancels every leg', async () => {
  const { clock, peers, m } = await setUp()
  const abort = new AbortController()
  const reply = m.$broadcast({ signal: abort.signal }).add()
  await clock.settle()
  abort.abort()
  await assert.rejects(reply, (error: RpcError) => error.code === 'cancelled')
  assert.ok(peers.every((peer) => peer.held.length === 0))
})

test('options of a broadcast are checked', async () => {
  const { m } = await setUp()
  assert.throws(() => m.$broadcast({ result: 'some' }), /result must be 'all' or 'first'/)
  assert.throws(() => m.$broadcast({ timeout: 1 }), /unknown call option 'timeout'/)
})
