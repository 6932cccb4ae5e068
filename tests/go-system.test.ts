import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Client } from 'farcall'
import { buildGo, eventually, noGo, startGoPart } from './support/go-peer.ts'
import { foo, fooContract, type FooClient } from './support/go-service.ts'
import {
  type ClientPart,
  type Family,
  goCaller,
  goClient,
  goRegistry,
  goServer,
  headersOf,
  ourClient,
  ourRegistry,
  ourServer,
  ownTargetOf,
  type StartRegistry,
  type StartServer,
  targetOf,
} from './support/go-system.ts'
import { createLogLines } from './support/log-lines.ts'
import { farcall } from './support/older-systems.ts'

// The main programs of the documents 003 and 004, whole in Go, and with parts of ours in the place of theirs.

const skip = noGo()
const program = skip === false ? buildGo('system') : ''

/** What a registry lists; the header is there also where nobody is. */
async function listed(url: string, family: Family): Promise<string> {
  const servers = (await fetch(url)).headers.get(headersOf(family).servers)
  assert.notEqual(servers, null)
  return servers as string
}

interface System {
  readonly name: string
  readonly registry: StartRegistry
  /** One that is dialled plainly, and one behind CONNECT. */
  readonly servers: readonly [StartServer, StartServer]
  readonly client: ClientPart
  /** Default both. */
  readonly families?: readonly Family[]
}

const registryInGo = goRegistry(program)
const serverInGo = goServer(program)
const callerInGo = goCaller(program)
const goParts = {
  registry: registryInGo,
  servers: [serverInGo, serverInGo],
  client: goClient(program, 300),
} as const
const ourServers = [ourServer, ourServer] as const
// Our servers lose nothing, so their clients need not wait.
const atOnce = goClient(program, 0)

const systems: readonly System[] = [
  { ...goParts, name: 'all of it in Go' },
  { ...goParts, name: 'a registry of ours', registry: ourRegistry() },
  {
    ...goParts,
    name: 'a registry of ours, at its other path',
    registry: ourRegistry('/_myrpc_/registry'),
    families: ['myrpc'],
  },
  { ...goParts, name: 'servers of ours', servers: ourServers, client: atOnce },
  { ...goParts, name: 'a client of ours', client: ourClient(targetOf) },
  { name: 'only the client in Go', registry: ourRegistry(), servers: ourServers, client: atOnce },
  { ...goParts, name: 'only the servers in Go', registry: ourRegistry(), client: ourClient(ownTargetOf) },
  {
    ...goParts,
    name: 'only the servers in Go, and the client asks in their way',
    registry: ourRegistry(),
    client: ourClient(targetOf),
  },
  { ...goParts, name: 'only the registry in Go', servers: ourServers, client: ourClient(targetOf) },
  { ...goParts, name: 'a server of ours beside one in Go', servers: [ourServer, serverInGo] },
  {
    name: 'a server in Go beside one of ours',
    registry: ourRegistry(),
    servers: [serverInGo, ourServer],
    client: ourClient(ownTargetOf),
  },
]

const families: readonly Family[] = ['geerpc', 'myrpc']

describe('the main programs of geerpc and MyRPC', { skip, concurrency: true }, () => {
  for (const { name, registry, servers, client, families: some = families } of systems)
    for (const family of some)
      it(`${family}, ${name}: calls and broadcasts, and those of Foo.Sleep that take 2 s fail`, async () => {
        await using directory = await registry(family)
        await using _plain = await servers[0](family, directory.address, 'tcp')
        await using _overHttp = await servers[1](family, directory.address, 'http')
        const outcomes = await client.run(family, directory.address)
        assert.equal(outcomes.length, client.types.length * 10 - 5)
        for (const type of client.types) {
          const of = (method: string) =>
            outcomes
              .filter((outcome) => outcome.type === type && outcome.method === method)
              .toSorted((a, b) => a.num1 - b.num1)
          assert.deepEqual(
            of('Foo.Sum').map(({ reply, error }) => [reply, error]),
            [0, 1, 2, 3, 4].map((i) => [i + i * i, '']),
            type,
          )
          const slept = of('Foo.Sleep')
          if (type === 'call') continue
          assert.deepEqual(
            slept.map(({ reply, error }) => (error === '' ? reply : 'failed')),
            [0, 2, 'failed', 'failed', 'failed'],
            type,
          )
          for (const { error, ms } of slept.slice(2)) {
            assert.match(error, client.late)
            assert.ok(ms >= 1900 && ms < 4000, `${ms} ms`)
          }
        }
      })
})

describe('the system of geerpc and MyRPC, when a part of it dies', { skip, concurrency: true }, () => {
  const sumsOf = async (remote: Client<FooClient>, count: number) => {
    for (let i = 0; i < count; i++) assert.equal(await remote.Sum(i, 1), i + 1)
  }

  it('a server in Go is killed: calls of our client go on at ours, though the registry in Go still has it', async () => {
    await using registry = await registryInGo('geerpc')
    await using killed = await serverInGo('geerpc', registry.address, 'tcp')
    await using _ours = await ourServer('geerpc', registry.address, 'tcp')
    await using client = farcall.connect(targetOf('geerpc', registry.address))
    const remote = client.service<FooClient>('Foo', { contract: fooContract })
    assert.equal((await remote.$broadcast().Sum(1, 2)).length, 2)
    const underWay = remote.$broadcast().Nap({ Num1: 400, Num2: 1 })
    const safe = remote.$with({ idempotent: true })
    const going = Promise.all([1, 2, 3, 4].map(() => sumsOf(safe, 50)))
    await killed.stop('SIGKILL')
    await going
    await sumsOf(remote, 20)
    const came = (await underWay).map(({ value, error }) => value ?? error?.code)
    assert.deepEqual(new Set(came), new Set([401, 'unavailable']))
    assert.equal(await remote.$broadcast({ result: 'first' }).Sum(1, 2), 3)
    assert.equal((await listed(registry.address, 'geerpc')).split(',').length, 2)
  })

  it('a server in Go is killed: our registry forgets it, and then no call of the client in Go meets it', async () => {
    await using registry = await ourRegistry('/_geerpc_/registry', { header: { leaseMs: 1_000 } })()
    const flags = ['-heartbeat', '100ms']
    await using killed = await serverInGo('geerpc', registry.address, 'tcp', ...flags)
    await using _other = await serverInGo('geerpc', registry.address, 'http', ...flags)
    const two = await listed(registry.address, 'geerpc')
    assert.equal(two.split(',').length, 2)
    const asking = ['-refresh', '1ms', '-select', 'round-robin']
    await using client = callerInGo('geerpc', registry.address, ...asking)
    const call = () => client.call('Foo.Sum', { Num1: 1, Num2: 2 })
    for (let i = 0; i < 4; i++) assert.equal((await call()).reply, 3)
    await killed.stop('SIGKILL')
    await eventually(async () =>
      assert.equal((await listed(registry.address, 'geerpc')).split(',').length, 1),
    )
    for (let i = 0; i < 4; i++) assert.equal((await call()).reply, 3)
  })

  it('the registry in Go is killed: calls go on, and when it is back, it has our server within a heartbeat', async () => {
    const registry = await registryInGo('myrpc')
    const target = targetOf('myrpc', registry.address)
    const [ours, theirs] = [createLogLines(), createLogLines()]
    await using serverToo = await serverInGo('myrpc', registry.address, 'tcp', '-heartbeat', '100ms')
    await using server = await farcall.serve([foo], { port: 0, registry: target, logger: ours.logger })
    await server.registered
    await using client = farcall.connect(target, { logger: theirs.logger })
    await using clientToo = callerInGo('myrpc', registry.address)
    const remote = client.service<FooClient>('Foo', { contract: fooContract })
    const call = () => clientToo.call('Foo.Sum', { Num1: 1, Num2: 2 })
    assert.equal((await remote.$broadcast().Sum(1, 2)).length, 2)
    assert.equal((await call()).reply, 3)
    const noticed = [
      ours.next(/warn: .*trying on/),
      theirs.next(/warn: .*cannot tell who is there/),
      serverToo.line(/heart beat err/),
    ]
    await registry.stop('SIGKILL')
    await Promise.all(noticed)
    await sumsOf(remote, 20)
    assert.equal((await call()).reply, 3, 'it has asked within the last ten seconds')
    const back = [ours.next(/info: .*answers again/), theirs.next(/debug: .*answers again/)]
    await using again = await registryInGo('myrpc', '-listen', `:${new URL(registry.address).port}`)
    await Promise.all(back)
    await sumsOf(remote, 20)
    const address = String(server.targets[0]).replace('tcp://', 'tcp@')
    assert.equal(await listed(again.address, 'myrpc'), address, 'one in Go does not come back')
  })

  it('our registry goes and is back: calls go on, and our server comes back', async () => {
    const registry = await ourRegistry()()
    await using _inGo = await serverInGo('geerpc', registry.address, 'tcp')
    await using ours = await ourServer('geerpc', registry.address, 'tcp')
    await using asking = farcall.connect(targetOf('geerpc', registry.address))
    await using watching = farcall.connect(ownTargetOf('geerpc', registry.address))
    const remotes = [asking, watching].map((client) =>
      client.service<FooClient>('Foo', { contract: fooContract }),
    )
    const callAll = async () => {
      for (const remote of remotes) await sumsOf(remote, 10)
    }
    for (const remote of remotes) assert.equal((await remote.$broadcast().Sum(1, 2)).length, 2)
    await registry[Symbol.asyncDispose]()
    for (const client of [asking, watching])
      await eventually(async () => assert.equal(client.status().services[0]?.discovery, 'stale'))
    await callAll()
    await using again = await ourRegistry('/_geerpc_/registry', {}, Number(new URL(registry.address).port))()
    await eventually(async () => assert.equal(await listed(again.address, 'geerpc'), ours.address))
    await callAll()
  })
})

describe('the registry of geerpc and MyRPC, in Go', { skip, concurrency: true }, () => {
  for (const family of families)
    it(`${family}: GET lists in order, POST adds, and nothing else is understood`, async () => {
      await using registry = await goRegistry(program)(family)
      const { server } = headersOf(family)
      const post = async (headers: Record<string, string>) =>
        (await fetch(registry.address, { method: 'POST', headers })).status
      assert.equal(await listed(registry.address, family), '')
      assert.equal(await post({ [server]: 'tcp@b:1' }), 200)
      assert.equal(await post({ [server]: 'tcp@a:1' }), 200)
      assert.equal(await post({ [server]: 'tcp@b:1' }), 200)
      assert.equal(await listed(registry.address, family), 'tcp@a:1,tcp@b:1')
      assert.equal(await post({}), 500)
      const other = headersOf(family === 'geerpc' ? 'myrpc' : 'geerpc')
      assert.equal(await post({ [other.server]: 'tcp@c:1' }), 500)
      assert.equal((await fetch(registry.address, { method: 'DELETE' })).status, 405)
    })

  it('forgets who sends no heartbeat', async () => {
    await using registry = await registryInGo('geerpc', '-timeout', '1500ms')
    await using silent = await serverInGo('geerpc', registry.address, 'tcp')
    await using beating = await serverInGo('geerpc', registry.address, 'tcp', '-heartbeat', '20ms')
    assert.equal(
      await listed(registry.address, 'geerpc'),
      [silent.address, beating.address].toSorted().join(','),
    )
    await eventually(async () =>
      assert.equal(await listed(registry.address, 'geerpc'), beating.address, 'the silent one is gone'),
    )
  })

  it('does not hear again of a server whose heartbeat has failed once', async () => {
    const registry = await startGoPart(program, '-role registry -listen :0'.split(' '))
    const port = String(new URL(registry.address).port)
    const flags = ['-role', 'server', '-registry', registry.address, '-heartbeat', '20ms']
    await using early = await startGoPart(program, flags)
    await registry.stop('SIGKILL')
    await early.line(/heart beat err/)
    await using again = await startGoPart(program, ['-role', 'registry', '-listen', `:${port}`])
    await using late = await startGoPart(program, flags)
    // Ten times the time after which it would have come back.
    await late.line(/(?:sent heart beat[^]*?){11}/)
    assert.equal(await listed(again.address, 'geerpc'), late.address)
  })
})
