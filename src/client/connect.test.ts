import assert from 'node:assert/strict'
import { test } from 'node:test'
import { markNotExecuted, RpcError } from '../core/error.ts'
import type { Stream } from '../core/stream.ts'
import { ItemStream } from '../core/item-stream.ts'
import { registryResolvers } from '../discovery/registry-resolver.ts'
import { retry } from '../layers/index.ts'
import { createFakeNet } from '../testing/fake-net.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import type { ClientOptions } from './options.ts'
import { createClient } from './index.ts'

type Any = any

function setUp(options: ClientOptions = {}, names: string[] = ['a']) {
  const clock = createVirtualClock(1000)
  const net = createFakeNet(clock)
  const peers = names.map((name) => net.peer(name))
  const client = createClient(
    net.parts,
    names.map((name) => `memory:${name}`),
    options,
  )
  const m = client.service('math') as any
  return { clock, net, peers, peer: peers[0]!, client, m }
}

const rejects = (promise: PromiseLike<unknown>, code: string, message: RegExp = /./) =>
  assert.rejects(Promise.resolve(promise), (error: RpcError) => {
    assert.ok(RpcError.is(error), String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  })

test('a call goes out and its reply comes back', async () => {
  const { clock, peer, client, m } = setUp()
  const reply = m.add(1, 2)
  await clock.settle()
  assert.equal(peer.calls.length, 1)
  assert.equal(peer.calls[0]!.call.name, 'math.add')
  assert.deepEqual(peer.calls[0]!.call.args.list, [1, 2])
  peer.calls[0]!.answer(3)
  assert.equal(await reply, 3)
  assert.equal(client.status().pendingCalls, 0)
  await client.close()
})

test('a call starts when it is made, once there is a connection', async () => {
  const { clock, peer, m } = setUp()
  peer.answer = () => 1
  await m.add()
  peer.answer = undefined
  void m.add().then(
    () => {},
    () => {},
  )
  assert.equal(peer.calls.length, 2)
  await clock.settle()
})

test('a unary call with nothing special about it gives the promise of the session itself', async () => {
  const { peer, m } = setUp()
  peer.answer = () => 1
  await m.add()
  peer.answer = undefined
  const reply = m.add()
  assert.equal(reply, peer.calls[1]!.promise)
  peer.calls[1]!.answer(1)
  await reply
})

test('$with: options merge, the time is bounded, metadata and key travel', async () => {
  const { clock, peer, m } = setUp()
  const one = m
    .$with({ timeoutMs: 50, metadata: { a: '1', b: '1' } })
    .$with({ metadata: { b: '2' }, key: 'k' })
  const reply = one.add(1)
  await clock.settle()
  const { call } = peer.calls[0]!
  assert.deepEqual({ ...call.metadata.toJSON() }, { a: '1', b: '2' })
  assert.equal(call.key, 'k')
  assert.equal(call.bounded, true)
  await Promise.all([rejects(reply, 'deadline_exceeded', /50 ms/), clock.advance(60)])
  assert.throws(() => m.$with({ timeout: 5 }), /unknown call option 'timeout'; known: timeoutMs/)
})

test('the default deadline is 10 s, and does not bound a stream', async () => {
  const { clock, peer, m } = setUp()
  const reply = m.add(1)
  await clock.settle()
  assert.equal(peer.calls[0]!.call.remainingMs(), 10_000)
  assert.equal(peer.calls[0]!.call.bounded, false)
  await Promise.all([rejects(reply, 'deadline_exceeded'), clock.advance(10_010)])
})

test('time that has run out already fails without going out', async () => {
  const { clock, peer, m } = setUp()
  await rejects(m.$with({ timeoutMs: 0 }).add(), 'deadline_exceeded', /timeoutMs is 0/)
  await clock.settle()
  assert.equal(peer.calls.length, 0)
})

test('$named, $send, $try', async () => {
  const { peer, m } = setUp()
  peer.answer = (call) => {
    if (call.method === 'bad') throw new RpcError('not_found', 'no such thing', { reason: 'gone' })
    return call.oneway ? undefined : [...(call.args.named ?? [])]
  }
  assert.deepEqual(await m.$named.add({ a: 1, b: 2 }), [
    ['a', 1],
    ['b', 2],
  ])
  await rejects(m.$named.add(1), 'invalid_argument', /\$named takes one object/)
  assert.equal(await m.$send.add(1), undefined)
  assert.equal(peer.calls.at(-1)!.call.oneway, true)
  assert.deepEqual(await m.$try.add(1), { ok: true, value: [] })
  const failed = await m.$try.bad()
  assert.equal(failed.ok, false)
  assert.equal(failed.error.reason, 'gone')
  assert.equal((await m.$try.$named.add(7)).error.code, 'invalid_argument')
  assert.equal(m.$named, m.$named)
  assert.equal(m.$nothing, undefined)
})

test('hostile and magic names: methods are data, what the language asks for by itself is none', async () => {
  const { peer, m } = setUp()
  peer.answer = (call) => call.method
  for (const name of ['constructor', '__proto__', 'toString', 'valueOf', 'hasOwnProperty', 'prototype']) {
    assert.equal(await m[name](), name)
  }
  assert.equal(m.then, undefined)
  assert.equal(m.toJSON, undefined)
  assert.equal(m[Symbol.iterator], undefined)
  assert.equal(await m, m)
  assert.equal(JSON.stringify(m), '{}')
  assert.equal('add' in m, true)
  assert.equal('then' in m, false)
  assert.throws(() => {
    m.add = 1
  }, TypeError)
  assert.equal(m.add, m.add)
})

test('service names are checked', () => {
  const { client } = setUp()
  assert.throws(() => client.service('a.b'), /dot/)
  assert.throws(() => client.service('constructor'), /the language uses it/)
  assert.doesNotThrow(() => client.service('farcall.registry'))
})

test('at most one stream among the arguments', async () => {
  const { peer, m } = setUp()
  peer.answer = () => 1
  async function* items() {}
  await rejects(m.total(items(), items()), 'invalid_argument', /2 arguments are streams/)
  assert.equal(await m.total(items()), 1)
})

test('iterating: a stream, its failure exactly once, a value is a clear error', async () => {
  const { clock, peer, m } = setUp()
  peer.answer = (call) => {
    if (call.method === 'value') return 1
    const stream = new ItemStream<number>()
    stream.push(1)
    stream.push(2)
    stream.finish(call.method === 'breaks' ? new RpcError('aborted', 'broke') : undefined)
    return stream
  }
  const got: number[] = []
  for await (const n of m.count(2)) got.push(n)
  assert.deepEqual(got, [1, 2])
  const stream = (await m.count(2)) as Stream
  assert.equal(stream.buffered, 2)
  await assert.rejects(async () => {
    for await (const n of m.breaks()) got.push(n)
  }, /broke/)
  assert.deepEqual(got, [1, 2, 1, 2])
  await assert.rejects(async () => {
    for await (const _ of m.value()) got.push(9)
  }, /a value, not a stream/)
  await clock.settle()
})

test('for await on a failing call raises exactly one error, and nothing is left unhandled', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  const { clock, peer, m } = setUp()
  peer.answer = () => {
    throw new RpcError('not_found', 'nothing to count')
  }
  let raised = 0
  try {
    for await (const _ of m.count()) raised += 10
  } catch (error) {
    raised++
    assert.match((error as Error).message, /nothing to count/)
  }
  assert.equal(raised, 1)
  // Taken and never used: the failure is nobody's, and no accident either.
  const left = m.count()[Symbol.asyncIterator]()
  await clock.settle()
  await left.return()
  assert.deepEqual(await left.next(), { done: true, value: undefined })
  await clock.settle()
  process.off('unhandledRejection', note)
  assert.deepEqual(unhandled, [])
})

test('an iterator that is left before its stream is there leaves it when it comes', async () => {
  const { clock, peer, m } = setUp()
  const left: RpcError[] = []
  const items = m.count()[Symbol.asyncIterator]()
  const next = items.next()
  await clock.settle()
  await items.return()
  peer.calls[0]!.answer(new ItemStream({ onLeft: (reason) => left.push(reason) }))
  assert.deepEqual(await next, { done: true, value: undefined })
  await clock.settle()
  assert.equal(left.length, 1)
})

test('idleTimeoutMs: silence between two items ends the stream, a slow reader does not', async () => {
  const { clock, peer, m } = setUp()
  const stream = new ItemStream<number>()
  peer.answer = () => stream
  const items = m.$with({ idleTimeoutMs: 100 }).count()[Symbol.asyncIterator]()
  stream.push(1)
  stream.push(2)
  assert.equal((await items.next()).value, 1)
  await clock.advance(500)
  assert.equal((await items.next()).value, 2)
  await Promise.all([
    rejects(items.next(), 'deadline_exceeded', /no item of the stream came within 100 ms/),
    clock.advance(200),
  ])
  assert.equal((await items.next()).done, true)
})

test('an aborted signal: no call; later: cancelled at once; 1,000 calls leave no listener behind', async () => {
  const { clock, peer, m } = setUp()
  await rejects(m.$with({ signal: AbortSignal.abort() }).add(), 'cancelled')
  await clock.settle()
  assert.equal(peer.calls.length, 0)
  peer.answer = () => 1
  const abort = new AbortController()
  const { signal } = abort
  let listeners = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Any) => {
    listeners++
    ;(add as Any)(...args)
  }
  signal.removeEventListener = (...args: Any) => {
    listeners--
    ;(remove as Any)(...args)
  }
  const signalled = m.$with({ signal })
  for (let i = 0; i < 1000; i++) await signalled.add()
  assert.equal(listeners, 0)
  peer.answer = undefined
  const reply = signalled.add()
  assert.equal(listeners, 1)
  abort.abort(new Error('enough'))
  await rejects(reply, 'cancelled', /math\.add: cancelled by the caller: enough/)
  assert.equal(listeners, 0)
})

test('calls that are cancelled while they wait never go out', async () => {
  const { clock, peer, m } = setUp()
  peer.connects = 'hold'
  const abort = new AbortController()
  const one = m.$with({ signal: abort.signal }).add(1)
  const two = m.$with({ timeoutMs: 20 }).add(2)
  const three = m.add(3)
  abort.abort()
  await rejects(one, 'cancelled')
  await Promise.all([rejects(two, 'deadline_exceeded'), clock.advance(30)])
  peer.dials[0]!.accept()
  await clock.settle()
  assert.deepEqual(
    peer.calls.map(({ call }) => call.args.list),
    [[3]],
  )
  peer.calls[0]!.answer(1)
  await three
})

test('more pending calls than allowed fail at once', async () => {
  const { clock, peer, m } = setUp({ limits: { maxPendingCalls: 2 } })
  const replies = [m.add(1), m.add(2)]
  await rejects(m.add(3), 'resource_exhausted', /2 calls of this client are pending/)
  await clock.settle()
  for (const made of peer.calls) made.answer(1)
  await Promise.all(replies)
  const again = m.add(4)
  peer.calls.at(-1)!.answer(4)
  assert.equal(await again, 4)
})

test('close: what is pending fails, later calls fail at once and say why, closing twice is harmless', async () => {
  const { clock, peer, client, m } = setUp()
  const inFlight = m.add()
  await clock.settle()
  peer.connects = 'hold'
  const closing = client.close()
  assert.equal(client.close(), closing)
  await rejects(inFlight, 'unavailable', /the client was closed/)
  await closing
  await rejects(m.add(), 'unavailable', /the client is closed/)
  assert.equal(client.status().state, 'closed')
  assert.equal(peer.open.length, 0)
  await client[Symbol.asyncDispose]()
  await assert.rejects(client.endpoints('math'), /closed/)
})

test('close before anything was known fails the calls that wait', async () => {
  const { client, m } = setUp()
  const waiting = m.add()
  await client.close()
  await rejects(waiting, 'unavailable', /the client is closed/)
})

test('close with a grace waits for what is in flight, and no longer than that', async () => {
  const { clock, peer, client, m } = setUp()
  const [quick, slow] = [m.add(1), m.add(2)]
  await clock.settle()
  const closing = client.close({ graceMs: 100 })
  await rejects(m.add(3), 'unavailable', /closed/)
  peer.calls[0]!.answer('quick')
  assert.equal(await quick, 'quick')
  assert.equal(client.status().state, 'closing')
  await Promise.all([rejects(slow, 'unavailable'), clock.advance(110)])
  await closing
})

test('nobody there fails at once and says where it was tried', async () => {
  const clock = createVirtualClock()
  const net = createFakeNet(clock)
  const client = createClient(net.parts, ['memory:gone', 'memory:lost'])
  const m = client.service('math') as any
  await rejects(m.add(), 'unavailable', /refused/)
  await clock.settle()
  await rejects(m.add(), 'unavailable', /no instance of 'math' can be reached.*memory:.*connection refused/)
  client.replace([])
  await clock.settle()
  await rejects(m.add(), 'unavailable', /no instance of 'math' at an empty list/)
})

test('targets and options: what is wrong is named', () => {
  const { parts } = createFakeNet(createVirtualClock())
  const connect = (target: Any, options?: Any) => () => createClient(parts, target, options)
  assert.throws(
    connect('zookeeper://a'),
    /'zookeeper:\/\/a' is no target: .*known: tcp, tls, unix, memory, static/,
  )
  assert.throws(connect('nonsense'), /is no target/)
  assert.throws(connect([]), /connect needs a target/)
  assert.throws(connect('tcp://a'), /port is missing/)
  assert.throws(
    connect('memory:a', { balancer: 'best' }),
    /unknown balancer 'best'; known: p2c, round-robin, weighted-round-robin, random, consistent-hash/,
  )
  assert.throws(connect('memory:a', { timeout: 1 }), /unknown option 'timeout'/)
  assert.throws(connect('memory:a', { timeoutMs: -1 }), /timeoutMs must be a positive number/)
  assert.throws(connect('memory:a', { layers: [1] }), /layers must be an array of functions/)
  assert.throws(
    connect('memory:a', { protocolPreference: ['grpc'] }),
    /unknown protocol 'grpc'; known: farcall/,
  )
})

test('a client that was put together without a way to registries says so', async () => {
  const clock = createVirtualClock()
  const parts = { ...createFakeNet(clock).parts, resolvers: [registryResolvers] }
  const client = createClient(parts, 'registry://a:1', { timeoutMs: 100 })
  const reply = rejects(
    (client.service('math') as Any).add(),
    'deadline_exceeded',
    /without a way to registries/,
  )
  await clock.advance(100)
  await reply
  await client.close()
})

test('all instances are connected to and called; replace moves the calls', async () => {
  const { clock, peers, client, m } = setUp({ balancer: 'round-robin' }, ['a', 'b', 'c'])
  for (const peer of peers) peer.answer = () => 1
  await m.add()
  await clock.settle()
  for (let i = 0; i < 30; i++) await m.add()
  assert.ok(
    peers.every(({ calls }) => calls.length >= 10),
    peers.map((p) => p.calls.length).join(),
  )
  const before = peers.map((p) => p.calls.length)
  client.replace(['memory:c'])
  await clock.settle()
  for (let i = 0; i < 10; i++) await m.add()
  assert.deepEqual(
    peers.map((p) => p.calls.length),
    [before[0], before[1], before[2]! + 10],
  )
  assert.deepEqual(
    peers.map((p) => p.open.length),
    [0, 0, 1],
  )
  assert.deepEqual(
    (await client.endpoints('math')).map((e) => [e.endpoint, e.usable]),
    [['memory:c', true]],
  )
})

test('weights stand in the list, or are set by hand, and count from the next call on', async () => {
  const { clock, peers, client, m } = setUp({ balancer: 'weighted-round-robin' }, ['a', 'b'])
  for (const peer of peers) peer.answer = () => 1
  await m.add()
  await clock.settle()
  const share = async (calls: number) => {
    const before = peers.map((peer) => peer.calls.length)
    for (let i = 0; i < calls; i++) await m.add()
    return peers.map((peer, i) => peer.calls.length - before[i]!)
  }
  const about = async (a: number, b: number) => {
    const got = await share(a + b)
    assert.ok(Math.abs(got[0]! - a) <= 1, `${got.join()} instead of ${a},${b}`)
  }
  await about(6, 6)
  client.replace(['memory:a?weight=3', 'memory:b'])
  await clock.settle()
  await about(9, 3)
  client.setWeight('memory:b', 9)
  await about(3, 9)
  client.setWeight('memory:b', 0)
  assert.deepEqual(await share(5), [5, 0])
  assert.deepEqual(
    (await client.endpoints('math')).map(({ instance }) => instance.weight),
    [3, 0],
  )
  client.setWeight('memory:b', undefined)
  await about(9, 3)
  assert.throws(() => client.setWeight('memory:b', -1), /weight must be a number from 0 to 1000000/)
  assert.throws(() => client.replace(['memory:a?weight=x']), /has no weight that can be read/)
  await client.close()
})

test('endpoints, refresh, pick and status tell what is there', async () => {
  const { clock, peers, client, m } = setUp({}, ['a', 'b'])
  assert.deepEqual(client.status().services, [])
  assert.equal((await client.endpoints('math')).length, 2)
  await clock.settle()
  assert.equal((await client.refresh('math')).length, 2)
  assert.match((await client.pick('math')).endpoint, /^memory:[ab]$/)
  peers[0]!.connects = new RpcError('unavailable', 'down')
  peers[0]!.sessions[0]!.die()
  await clock.settle()
  const { services, endpoints } = client.status()
  assert.equal(services[0]!.discovery, 'live')
  assert.deepEqual(
    endpoints.map((e) => [e.endpoint, e.state, e.usable]),
    [
      ['memory:a', 'failing', false],
      ['memory:b', 'ready', true],
    ],
  )
  peers[1]!.answer = () => 'b'
  assert.equal(await m.add(), 'b')
  assert.equal(await m.$with({ instance: 'memory:b' }).add(), 'b')
  await rejects(m.$with({ instance: 'nobody' }).add(), 'unavailable', /no instance 'nobody'/)
})

test('endpoints are shared by the services of a client', async () => {
  const { peer, client } = setUp()
  peer.answer = () => 1
  await (client.service('math') as any).add()
  await (client.service('text') as any).upper()
  assert.equal(peer.sessions.length, 1)
  assert.equal(client.status().endpoints.length, 1)
})

test('a contract, and what peers say, is known of a method', async () => {
  const { peer, client } = setUp()
  const infos: unknown[] = []
  peer.answer = (call) => infos.push(call.info?.idempotent)
  const m = client.service('math', { contract: { add: { idempotent: true } } }) as any
  await m.add()
  await m.sub()
  await m.$with({ idempotent: true }).sub()
  assert.deepEqual(infos, [true, undefined, true])
})

test('with retry: nobody there, and a closed client, still fail at once; a refused call goes elsewhere', async () => {
  const clock = createVirtualClock(1000)
  const net = createFakeNet(clock)
  const client = createClient({ ...net.parts, retry: () => retry() }, ['memory:a', 'memory:b'])
  const m = client.service('math') as Any
  await Promise.all([rejects(m.add(), 'unavailable'), clock.advance(300)])
  const now = clock.now()
  await rejects(m.$with({ idempotent: true }).add(), 'unavailable', /can be reached/)
  assert.equal(clock.now(), now)
  const [a, b] = [net.peer('a'), net.peer('b')]
  await clock.advance(10_000)
  a.answer = b.answer = (call) => (call.attempt === 1 ? refuse() : 'elsewhere')
  const refuse = () => {
    throw markNotExecuted(new RpcError('unavailable', 'full', { phase: 'wait' }))
  }
  assert.equal(await m.add(), 'elsewhere')
  assert.deepEqual([a.calls.length, b.calls.length], [1, 1])
  const closing = client.close()
  await rejects(m.$with({ idempotent: true }).add(), 'unavailable', /the client is closed/)
  await closing
})
