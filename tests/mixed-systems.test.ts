// All systems at once: one registry of ours, a server of each kind, and a client of each kind, which finds what it can speak to.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { buildGo, noGo } from './support/go-peer.ts'
import { foo, fooContract, type FooClient } from './support/go-service.ts'
import { goCaller, goServer, headersOf } from './support/go-system.ts'
import { type OurRegistry, startOurRegistry } from './support/our-registry.ts'
import { hostAndPort } from './support/older-systems.ts'
import { askAll, noPythonProtobuf } from './support/protobuf-peer.ts'
import { noPython } from './support/python-peer.ts'
import {
  findEntries,
  lab,
  labClient,
  labServer,
  own,
  overHttp,
  overTcp,
  protoClient,
  protoServer,
  withMore,
} from './support/python-system.ts'

const skip = noGo() || noPython() || noPythonProtobuf()
const program = skip === false ? buildGo('system') : ''

interface Texts {
  upper(text: string): string
}

describe('one registry of ours for all systems', { skip, concurrency: true }, () => {
  const running = new AsyncDisposableStack()
  const ports: Record<string, number> = {}
  let registry: OurRegistry
  let goUrl: string
  before(async () => {
    registry = running.use(await startOurRegistry())
    const { address } = registry
    goUrl = `http://${address}/_geerpc_/registry`
    const [go, json, protobuf, ours] = await Promise.all([
      goServer(program)('geerpc', goUrl, 'tcp'),
      labServer(address),
      protoServer(address),
      // It has what each of the others has.
      withMore.serve([foo, lab], { port: 0, registry: own(address) }),
    ])
    for (const server of [go, json, protobuf, ours]) running.use(server)
    await ours.registered
    for (const [kind, server] of Object.entries({ go, json, protobuf }))
      ports[kind] = Number(server.address.replace(/.*:/, ''))
    ports['farcall'] = Number(hostAndPort(ours.targets[0]).port)
  })
  after(() => running.disposeAsync())

  /** The servers of these kinds, as ports in order. */
  const portsOf = (...kinds: readonly string[]) =>
    kinds.map((kind) => ports[kind] ?? 0).toSorted((a, b) => a - b)
  const portsIn = (places: readonly string[]) =>
    places.map((place) => Number(/\d+$/.exec(place)?.[0])).toSorted((a, b) => a - b)

  it('a client in Go finds the server in Go and the one of ours', async () => {
    const list = (await fetch(goUrl)).headers.get(headersOf('geerpc').servers) ?? ''
    assert.deepEqual(portsIn(list.split(',')), portsOf('go', 'farcall'))
    await using client = goCaller(program)('geerpc', goUrl, '-select', 'round-robin')
    for (let i = 0; i < 4; i++)
      assert.equal((await client.call('Foo.Sum', { Num1: i, Num2: 1 })).reply, i + 1)
    assert.equal((await client.call('Foo.Sum', { Num1: 1, Num2: 2 }, { broadcast: true })).reply, 3)
  })

  it('a client in Python with JSON finds the server in Python with JSON and the one of ours', async () => {
    const entries = await findEntries(registry.address)
    assert.deepEqual(portsIn(entries.map(({ port }) => `${port}`)), portsOf('json', 'farcall'))
    const asks = Array.from({ length: 20 }, (_, i) => ({ method: 'add', args: [i, 1] }))
    assert.deepEqual(
      await labClient(registry.address, asks),
      asks.map((_, i) => i + 11),
    )
  })

  it('a client in Python with protobuf finds the server in Python with protobuf and the one of ours', async () => {
    const [found] = await askAll(`tcp://${registry.address}`, [{ type: 'discover', service: 'upper' }])
    const places = (found?.servers ?? []).map(({ port }) => `${port}`)
    assert.deepEqual(portsIn(places), portsOf('protobuf', 'farcall'))
    const asks = Array.from({ length: 20 }, (_, i) => ({ method: 'upper', kwargs: { text: `a${i}` } }))
    assert.deepEqual(
      await protoClient(registry.address, asks),
      asks.map((_, i) => `A${i}`),
    )
  })

  it('a client of ours finds all, each for what it has', async () => {
    await using client = withMore.connect(own(registry.address))
    const sums = await client.service<FooClient>('Foo', { contract: fooContract }).$broadcast().Sum(1, 2)
    assert.deepEqual(portsIn(sums.map(({ endpoint }) => endpoint)), portsOf('go', 'farcall'))
    const texts = await client.service<Texts>('').$broadcast().upper('grüße')
    assert.deepEqual(portsIn(texts.map(({ endpoint }) => endpoint)), portsOf('json', 'protobuf', 'farcall'))
    assert.deepEqual(
      [...sums, ...texts].map(({ value, error }) => error?.message ?? value),
      [3, 3, 'GRÜSSE', 'GRÜSSE', 'GRÜSSE'],
    )
    assert.equal(
      await client.service<typeof lab>('lab').add(1, 2),
      13,
      'only ours has a service of this name',
    )
    const protocols = [...texts, ...sums].map(({ endpoint }) => endpoint.replace(/\+?tcp:.*/, ''))
    assert.deepEqual(new Set(protocols), new Set(['', 'geerpc', 'lab-json', 'lab-protobuf']))
  })

  it('the same from the first call on, whoever it goes to', async () => {
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        await using client = withMore.connect(own(registry.address), { retry: false })
        assert.equal(await client.service<Texts>('').upper(`a${i}`), `A${i}`)
        assert.equal(await client.service<FooClient>('Foo', { contract: fooContract }).Sum(i, 1), i + 1)
        const ours = client.service<typeof lab>('lab')
        assert.equal(
          await ours.add(i, 1),
          i + 11,
          'several arguments, which cannot be said to a server in Go',
        )
        assert.equal((await ours.$broadcast().upper('a')).length, 1, 'the others lack it')
      }),
    )
  })

  it('a client of ours that asks as the older ones do finds what they find', async () => {
    await using json = withMore.connect(overHttp(registry.address))
    const found = (await json.endpoints('')).map(({ endpoint }) => endpoint)
    assert.deepEqual(portsIn(found), portsOf('json', 'farcall'))
    await using protobuf = withMore.connect(overTcp(registry.address))
    assert.equal((await protobuf.service<Texts>('').$broadcast().upper('a')).length, 2)
    await using go = withMore.connect(goUrl.replace('http:', 'geerpc-registry+http:'))
    const sums = await go.service<FooClient>('Foo', { contract: fooContract }).$broadcast().Sum(1, 2)
    assert.deepEqual(portsIn(sums.map(({ endpoint }) => endpoint)), portsOf('go', 'farcall'))
  })
})
