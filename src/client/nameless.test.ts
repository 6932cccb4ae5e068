// Instances that registered without the names of their services, as those of the older systems do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RpcError } from '../core/error.ts'
import { parseEndpoint } from '../core/endpoint.ts'
import type { Instance } from '../core/instance.ts'
import { Latest } from '../discovery/latest.ts'
import type { Query, Snapshot } from '../discovery/resolver.ts'
import { matches } from '../discovery/resolver.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { createFakeNet } from '../testing/fake-net.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { createClient } from './index.ts'

function setUp(instances: readonly Instance[]) {
  const clock = createVirtualClock(1000)
  const net = createFakeNet(clock)
  const snapshots = new Latest<Snapshot>()
  snapshots.publish({
    revision: '1',
    status: 'live',
    since: 0,
    instances: new Map(instances.map((one) => [one.id, one])),
  })
  const watched: Query[] = []
  const [farcall] = net.parts.protocols as [Protocol]
  const bare: Protocol = { ...farcall, name: 'bare', can: { ...farcall.can, bareNames: true } }
  const whole: Protocol = { ...farcall, name: 'whole', can: { ...farcall.can, needsService: true } }
  const plain: Protocol = { ...farcall, name: 'plain', can: { ...farcall.can, metadata: false } }
  const client = createClient(
    {
      ...net.parts,
      protocols: [farcall, bare, whole, plain],
      resolvers: [
        {
          schemes: ['test'],
          create: () => ({
            watch(query, signal) {
              watched.push(query)
              return snapshots.read(signal)
            },
          }),
        },
      ],
    },
    'test://here',
    { balancer: 'round-robin' },
  )
  const peer = (name: string, lacks = false) => {
    const made = net.peer(name)
    made.answer = ({ service }) => {
      if (lacks) throw new RpcError('not_found', `unknown service '${service}'; this server has: text`)
      return name
    }
    return made
  }
  return { clock, client, watched, peer }
}

function instance(id: string, given: Partial<Instance> & { via?: string } = {}): Instance {
  const { via = `memory:${id}`, ...rest } = given
  return {
    id,
    incarnation: 1,
    services: [],
    endpoints: [parseEndpoint(via)],
    weight: 1,
    zone: undefined,
    metadata: {},
    status: 'up',
    ...rest,
  }
}

const named = { services: [{ name: 'math' }] }

test('one that said nothing is a candidate beside one that names the service', async () => {
  const { client, peer } = setUp([instance('a'), instance('b', named)])
  peer('a')
  peer('b')
  const m = client.service('math')
  const answers = await Promise.all([1, 2, 3, 4].map(() => m['add']!()))
  assert.deepEqual(new Set(answers), new Set(['a', 'b']))
})

test('until it answers that it lacks it; the call goes to another, and for a minute all do', async () => {
  const { clock, client, peer } = setUp([instance('a'), instance('b', named)])
  const lacking = peer('a', true)
  peer('b')
  const m = client.service('math')
  for (let i = 0; i < 6; i++) assert.equal(await m['add']!(), 'b')
  assert.equal(lacking.calls.length, 1)
  await clock.advance(60_100)
  for (let i = 0; i < 6; i++) assert.equal(await m['add']!(), 'b')
  assert.equal(lacking.calls.length, 2)
})

test('where all lack it, the caller is told what they answered', async () => {
  const { client, peer } = setUp([instance('a'), instance('b')])
  peer('a', true)
  peer('b', true)
  const m = client.service('math')
  for (let i = 0; i < 3; i++)
    await assert.rejects(m['add']!(), { code: 'not_found', message: /unknown service 'math'/ })
})

test('what a handler passes on of a call of its own is no reason to leave it', async () => {
  const { client, peer } = setUp([instance('a'), instance('b')])
  for (const name of ['a', 'b'])
    peer(name).answer = () => {
      throw new RpcError('not_found', "unknown service 'billing'; this server has: math")
    }
  const m = client.service('math')
  await assert.rejects(m['add']!(), { message: /unknown service 'billing'/ })
  assert.equal((await client.endpoints('math')).length, 2)
})

test('what its protocol cannot say goes to another; it stays a candidate for what it can', async () => {
  const { client, peer } = setUp([instance('a', { via: 'plain+memory:a' }), instance('b', named)])
  const [a, b] = [peer('a'), peer('b')]
  const m = client.service('math')
  const said = m.$with({ metadata: { tenant: 'x' } })
  for (let i = 0; i < 4; i++) assert.equal(await said['add']!(), 'b')
  assert.equal(a.calls.length, 0)
  for (let i = 0; i < 4; i++) await m['add']!()
  assert.deepEqual([a.calls.length, b.calls.length], [2, 6])
  const results = await m.$with({ metadata: { tenant: 'x' } }).$broadcast()['add']!()
  assert.deepEqual(
    results.map(({ value, error }) => error?.code ?? value),
    ['unimplemented', 'b'],
    'a broadcast shows whom it has not reached',
  )
})

test('where nobody can be told, the caller hears why', async () => {
  const both = ['a', 'b'].map((name) => instance(name, { via: `plain+memory:${name}` }))
  const { client, peer } = setUp(both)
  peer('a')
  peer('b')
  const m = client.service('math').$with({ metadata: { tenant: 'x' } })
  await assert.rejects(m['add']!(), { code: 'unimplemented', message: /cannot carry metadata/ })
})

test('a broadcast has no answer of who lacks the service, where others say that they have it', async () => {
  const { clock, client, peer } = setUp([instance('a'), instance('b', named), instance('c')])
  const a = peer('a', true)
  peer('b')
  peer('c', true)
  const m = client.service('math')
  const endpoints = (results: readonly { readonly endpoint: string }[]) =>
    results.map(({ endpoint }) => endpoint)
  assert.deepEqual(endpoints(await m.$broadcast()['add']!()), ['memory:b'])
  assert.deepEqual(endpoints(await m.$broadcast()['add']!()), ['memory:b'])
  assert.equal(a.calls.length, 1, 'it is not asked again')
  await clock.advance(60_100)
  assert.equal(await m.$broadcast({ result: 'first' })['add']!(), 'b')
  const none = setUp([instance('a'), instance('c')])
  none.peer('a', true)
  none.peer('c', true)
  const all = await none.client.service('math').$broadcast()['add']!()
  assert.deepEqual(
    all.map(({ error }) => error?.code),
    ['not_found', 'not_found'],
  )
})

test('a call for one instance goes to no other, whatever it lacks', async () => {
  const { client, peer } = setUp([instance('a'), instance('b', named)])
  peer('a', true)
  peer('b')
  const m = client.service('math').$with({ instance: 'a' })
  await assert.rejects(m['add']!(), { code: 'not_found' })
})

test('where "no such method" looks like a result, one that said nothing is asked only if nobody names the service', async () => {
  const both = setUp([instance('a', { via: 'bare+memory:a' }), instance('b', named)])
  both.peer('a')
  both.peer('b')
  for (let i = 0; i < 4; i++) assert.equal(await both.client.service('math')['add']!(), 'b')
  const alone = setUp([instance('a', { via: 'bare+memory:a' })])
  alone.peer('a')
  assert.equal(await alone.client.service('math')['add']!(), 'a')
})

test('a method without a service is looked for by its name, each by itself', async () => {
  const { client, watched, peer } = setUp([
    instance('a', { services: [{ name: 'math', methods: ['add'] }] }),
    instance('b', { services: [{ name: 'text', methods: ['upper'] }] }),
  ])
  peer('a')
  peer('b')
  const bare = client.service('')
  for (let i = 0; i < 3; i++) {
    assert.equal(await bare['add']!(), 'a')
    assert.equal(await bare['upper']!(), 'b')
  }
  await assert.rejects(async () => bare['sub']!(), { code: 'unavailable' })
  assert.deepEqual(
    watched.map(({ method }) => method),
    ['add', 'upper', 'sub'],
  )
})

test('one whose protocol has no names without a service is left out where others have them', async () => {
  const servers = [instance('a', { via: 'whole+memory:a' }), instance('b', { via: 'bare+memory:b' })]
  const both = setUp(servers)
  both.peer('a')
  both.peer('b')
  for (let i = 0; i < 4; i++) assert.equal(await both.client.service('')['add']!(), 'b')
  assert.equal((await both.client.service('math').$broadcast()['add']!()).length, 1, 'named, it is the other')
  const alone = setUp(servers.slice(0, 1))
  alone.peer('a')
  assert.equal(await alone.client.service('')['add']!(), 'a', 'it answers for itself')
})

test('of several protocols at one address only the best is a way to it', async () => {
  const { client, peer } = setUp([
    instance('a', { ...named, endpoints: [parseEndpoint('bare+memory:a'), parseEndpoint('memory:a')] }),
    instance('b', { ...named, endpoints: [parseEndpoint('memory:b'), parseEndpoint('bare+memory:b')] }),
  ])
  peer('a')
  peer('b')
  const endpoints = await client.endpoints('math')
  assert.deepEqual(
    endpoints.map(({ endpoint }) => endpoint),
    ['bare+memory:a', 'memory:b'],
  )
})

test('a query for a method finds who has it, or may have it', () => {
  const query = { service: '', method: 'add' }
  assert.ok(matches(instance('a'), query))
  assert.ok(matches(instance('a', { services: [{ name: 'math' }] }), query))
  assert.ok(matches(instance('a', { services: [{ name: 'math', methods: ['add'] }] }), query))
  assert.ok(!matches(instance('a', { services: [{ name: 'math', methods: ['sub'] }] }), query))
  assert.ok(!matches(instance('a', { services: [{ name: 'farcall.meta' }] }), query))
})
