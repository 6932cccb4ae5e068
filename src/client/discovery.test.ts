import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RpcError } from '../core/error.ts'
import { parseEndpoint } from '../core/endpoint.ts'
import type { Instance } from '../core/instance.ts'
import { Latest } from '../discovery/latest.ts'
import type { Query, Snapshot } from '../discovery/resolver.ts'
import { createFakeNet } from '../testing/fake-net.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { createClient, type ClientOptions } from './index.ts'

function setUp(options: ClientOptions = {}) {
  const clock = createVirtualClock(1000)
  const net = createFakeNet(clock)
  const snapshots = new Latest<Omit<Snapshot, 'revision' | 'since'>>()
  const watched: Query[] = []
  let revision = 0
  const publish = (status: Snapshot['status'], instances: Instance[], reason?: RpcError) =>
    snapshots.publish({
      status,
      instances: new Map(instances.map((one) => [one.id, one])),
      ...(reason !== undefined && { reason }),
    })
  const client = createClient(
    {
      ...net.parts,
      protocols: net.parts.protocols.flatMap((protocol) => [protocol, { ...protocol, name: 'other' }]),
      resolvers: [
        {
          schemes: ['test'],
          create: () => ({
            async *watch(query, signal) {
              watched.push(query)
              for await (const one of snapshots.read(signal))
                yield { ...one, revision: `${++revision}`, since: clock.now() }
            },
          }),
        },
      ],
    },
    'test://here',
    options,
  )
  const peer = (name: string) => {
    const made = net.peer(name)
    made.answer = () => name
    return made
  }
  return { clock, client, publish, watched, peer, m: client.service('math') as any }
}

function instance(id: string, given: Partial<Instance> = {}): Instance {
  return {
    id,
    incarnation: 1,
    services: [{ name: 'math', version: '1' }],
    endpoints: [parseEndpoint(`memory:${id}`)],
    weight: 1,
    zone: undefined,
    metadata: {},
    status: 'up',
    ...given,
  }
}

test('calls wait while nothing is known, and go out when it is', async () => {
  const { clock, publish, peer, m } = setUp()
  peer('a')
  publish('lost', [], new RpcError('unavailable', 'registry down'))
  const reply = m.add()
  await clock.advance(500)
  publish('live', [instance('a')])
  assert.equal(await reply, 'a')
})

test('a call that waits in vain says what it waited for', async () => {
  const { clock, publish, m } = setUp()
  publish('lost', [], new RpcError('unavailable', 'connection to the registry refused'))
  const reply = m.$with({ timeoutMs: 100 }).add()
  await Promise.all([
    assert.rejects(
      reply,
      /no answer within 100 ms.*test:\/\/here has not said yet who is there: connection to the registry refused/,
    ),
    clock.advance(110),
  ])
})

test('a live empty list fails at once and says what else is known', async () => {
  const { clock, client, publish, peer, m } = setUp()
  peer('a')
  publish('live', [instance('a', { services: [{ name: 'text' }] })])
  await (client.service('text') as any).upper()
  await clock.settle()
  await assert.rejects(m.add(), /no instance of 'math' at test:\/\/here \(1 known instance has: text\)/)
})

test('an instance that speaks only what this client cannot is named', async () => {
  const { publish, m } = setUp()
  publish('live', [instance('a', { endpoints: [parseEndpoint('geerpc+tcp://127.0.0.1:1')] })])
  await assert.rejects(m.add(), /this client cannot speak to the 1 that are there \(geerpc\)/)
})

test('only the protocols that were named are spoken', async () => {
  const { clock, client, publish, peer, m } = setUp({ protocols: ['other'] })
  peer('b')
  publish('live', [instance('a')])
  await assert.rejects(m.add(), /this client cannot speak to the 1 that are there \(farcall\)/)
  const both = ['memory:b', 'other+memory:b'].map(parseEndpoint)
  publish('live', [instance('a'), instance('b', { endpoints: both })])
  await clock.settle()
  assert.equal(await m.add(), 'b')
  assert.deepEqual(
    client.status().endpoints.map(({ endpoint }) => endpoint),
    ['other+memory:b'],
  )
  assert.throws(() => setUp({ protocols: [] }), /'protocols' is empty/)
  assert.throws(() => setUp({ protocols: ['grpc'] }), /unknown protocol 'grpc'; known: farcall, other/)
})

test('the last good list goes on to hold when the source is lost', async () => {
  const { clock, client, publish, peer, m } = setUp()
  peer('a')
  publish('live', [instance('a')])
  assert.equal(await m.add(), 'a')
  publish('stale', [instance('a')], new RpcError('unavailable', 'gone'))
  await clock.settle()
  publish('lost', [], new RpcError('unavailable', 'gone'))
  await clock.settle()
  assert.equal(await m.add(), 'a')
  const [service] = client.status().services
  assert.equal(service!.discovery, 'stale')
  assert.equal(service!.reason?.message, 'gone')
  await clock.advance(700)
  assert.equal(client.status().services[0]!.discoveryAgeMs, 700)
})

test('one watch for each service and version, with the filters of the client', async () => {
  const { clock, client, publish, peer, watched, m } = setUp({ zone: 'x', metadata: { tier: 'gold' } })
  peer('a')
  peer('b')
  const gold = { zone: 'x', metadata: { tier: 'gold' } }
  publish('live', [
    instance('a', gold),
    instance('b', { ...gold, services: [{ name: 'math', version: '2' }] }),
    instance('c', { zone: 'y' }),
  ])
  await Promise.all([m.add(), m.sub(), m.add()])
  const second = client.service('math', { version: '2' }) as any
  for (let i = 0; i < 5; i++) assert.equal(await second.add(), 'b')
  assert.deepEqual(watched, [
    { service: 'math', zone: 'x', metadata: { tier: 'gold' } },
    { service: 'math', zone: 'x', metadata: { tier: 'gold' }, version: '2' },
  ])
  await clock.settle()
  assert.equal((await client.endpoints('math')).length, 2)
})

test('draining instances get no calls while there are others', async () => {
  const { clock, publish, peer, m } = setUp()
  peer('a')
  peer('b')
  publish('live', [instance('a', { status: 'draining' }), instance('b')])
  for (let i = 0; i < 10; i++) assert.equal(await m.add(), 'b')
  publish('live', [instance('a', { status: 'draining' })])
  await clock.settle()
  assert.equal(await m.add(), 'a')
})

test('of several endpoints the first that can be reached is used, and only that one', async () => {
  const { clock, publish, peer, client, m } = setUp()
  const first = peer('a-1')
  const second = peer('a-2')
  first.connects = new RpcError('unavailable', 'down')
  publish('live', [instance('a', { endpoints: [parseEndpoint('memory:a-1'), parseEndpoint('memory:a-2')] })])
  await m.add().catch(() => {})
  await clock.settle()
  assert.equal(await m.add(), 'a-2')
  first.connects = 'accept'
  await clock.advance(10_000)
  assert.equal(await m.add(), 'a-1')
  assert.equal((await client.endpoints('math')).length, 1)
  assert.equal(second.open.length, 0)
})

test('two instances at one endpoint are one candidate', async () => {
  const { publish, peer, client, m } = setUp()
  peer('a')
  const endpoints = [parseEndpoint('memory:a')]
  publish('live', [instance('old', { endpoints }), instance('new', { endpoints })])
  await m.add()
  const found = await client.endpoints('math')
  assert.deepEqual(
    found.map((one) => one.instance.id),
    ['new'],
  )
})

test('connections outlive snapshots; those of an instance that has gone end when their calls have', async () => {
  const { clock, publish, peer, m } = setUp()
  const [a, b] = [peer('a'), peer('b')]
  publish('live', [instance('a')])
  await m.add()
  a.answer = undefined
  const slow = m.add()
  publish('live', [instance('a'), instance('b')])
  await clock.settle()
  assert.equal(a.sessions.length, 1)
  publish('live', [instance('b')])
  await clock.settle()
  assert.equal(await m.add(), 'b')
  assert.equal(a.open.length, 1)
  a.held[0]!.answer('slow')
  assert.equal(await slow, 'slow')
  await clock.settle()
  assert.deepEqual([a.open.length, b.open.length], [0, 1])
})

test('a resolver that throws is asked again; a balancer that throws fails the call, not the client', async () => {
  const clock = createVirtualClock(1000)
  const net = createFakeNet(clock)
  net.peer('a').answer = () => 1
  let asked = 0
  const resolvers = [
    {
      schemes: ['test'],
      create: () => ({
        async *watch(): AsyncGenerator<Snapshot> {
          if (++asked < 3) throw new Error('a bug')
          yield { revision: '1', status: 'live', since: 0, instances: new Map([['a', instance('a')]]) }
          await new Promise(() => {})
        },
      }),
    },
  ]
  const balancer = () => ({
    pick() {
      throw new TypeError('no idea')
    },
  })
  const client = createClient({ ...net.parts, resolvers }, 'test:', { balancer })
  const reply = (client.service('math') as any).add()
  await Promise.all([
    assert.rejects(reply, (error: RpcError) => error.code === 'internal' && /no idea/.test(error.message)),
    clock.advance(4000),
  ])
  assert.equal(asked, 3)
  assert.equal(client.status().pendingCalls, 0)
})

test('a weight set by hand counts for whom a registry names, by id or endpoint, also before it is known', async () => {
  const { clock, client, publish, peer, m } = setUp({ balancer: 'weighted-round-robin' })
  for (const name of ['a', 'b', 'c']) peer(name)
  client.setWeight('b-1', 0)
  client.setWeight('farcall+memory:c', 0)
  const all = ['a', 'b', 'c'].map((id) => instance(`${id}-1`, { endpoints: [parseEndpoint(`memory:${id}`)] }))
  publish('live', all)
  const answers = async () => {
    const got = new Set<string>()
    for (let i = 0; i < 9; i++) got.add(await m.add())
    return [...got].toSorted().join('')
  }
  await m.add()
  await clock.settle()
  assert.equal(await answers(), 'a')
  client.setWeight('b-1', 2)
  assert.equal(await answers(), 'ab')
  publish('live', all.slice(1))
  await clock.settle()
  assert.equal(await answers(), 'b')
  client.setWeight('memory:c', undefined)
  assert.equal(await answers(), 'bc')
})
