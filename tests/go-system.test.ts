import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { buildGo, eventually, noGo } from './support/go-peer.ts'
import {
  type Family,
  goClient,
  goRegistry,
  goServer,
  headersOf,
  ourServer,
  type RunClient,
  startGoPart,
  type StartRegistry,
  type StartServer,
} from './support/go-system.ts'

// The main programs of the documents 003 and 004, whole in Go, and with parts of ours in the place of theirs.

const skip = noGo()
const program = skip === false ? buildGo('system') : ''

interface System {
  readonly name: string
  readonly registry: StartRegistry
  readonly server: StartServer
  readonly client: RunClient
}

const systems: readonly System[] = [
  {
    name: 'all of it in Go',
    registry: goRegistry(program),
    server: goServer(program),
    client: goClient(program, 300),
  },
  {
    name: 'servers of ours',
    registry: goRegistry(program),
    server: ourServer,
    client: goClient(program, 0),
  },
]

const families: readonly Family[] = ['geerpc', 'myrpc']

describe('the main programs of geerpc and MyRPC', { skip, concurrency: true }, () => {
  for (const family of families)
    for (const { name, registry, server, client } of systems)
      it(`${family}, ${name}: 5 calls, 5 broadcasts, and those of Foo.Sleep that take 2 s fail`, async () => {
        await using directory = await registry(family)
        await using _plain = await server(family, directory.address, 'tcp')
        await using _overHttp = await server(family, directory.address, 'http')
        const outcomes = await client(family, directory.address)
        const of = (type: string, method: string) =>
          outcomes
            .filter((outcome) => outcome.type === type && outcome.method === method)
            .toSorted((a, b) => a.num1 - b.num1)
        assert.equal(outcomes.length, 15)
        for (const type of ['call', 'broadcast'])
          assert.deepEqual(
            of(type, 'Foo.Sum').map(({ reply, error }) => [reply, error]),
            [0, 1, 2, 3, 4].map((i) => [i + i * i, '']),
          )
        const slept = of('broadcast', 'Foo.Sleep')
        assert.deepEqual(
          slept.map(({ reply, error }) => (error === '' ? reply : 'failed')),
          [0, 2, 'failed', 'failed', 'failed'],
        )
        for (const { error, ms } of slept.slice(2)) {
          assert.match(error, /deadline|within|timeout/)
          assert.ok(ms >= 1900 && ms < 4000, `${ms} ms`)
        }
      })
})

describe('the registry of geerpc and MyRPC, in Go', { skip, concurrency: true }, () => {
  /** What it lists; the header is there also where nobody is. */
  async function listed(url: string, family: Family): Promise<string> {
    const servers = (await fetch(url)).headers.get(headersOf(family).servers)
    assert.notEqual(servers, null)
    return servers as string
  }

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
    await using registry = await startGoPart(program, '-role registry -listen :0 -timeout 1500ms'.split(' '))
    const flags = ['-role', 'server', '-registry', registry.address]
    await using silent = await startGoPart(program, flags)
    await using beating = await startGoPart(program, [...flags, '-heartbeat', '20ms'])
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
