// The Python systems of the documents 000 and 001 (JSON) and 002 (protobuf) beside ours, when a part of them dies or leaves: at
// their registry, and at one of ours, which they are to take for theirs.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FacesOptions } from 'farcall'
import { type LabRegistry, labRegistryService } from '../src/discovery/api/lab-registry.ts'
import { startTools } from './support/cli.ts'
import { eventually } from './support/go-peer.ts'
import { startOurRegistry } from './support/our-registry.ts'
import { farcall } from './support/older-systems.ts'
import { askAll, noPythonProtobuf } from './support/protobuf-peer.ts'
import { noPython } from './support/python-peer.ts'
import {
  calculator,
  findEntries,
  lab,
  labRegistry,
  labServer,
  ourLabServer,
  ourProtoServer,
  overHttp,
  overTcp,
  own,
  type Part,
  protoRegistry,
  protoServer,
  startLabClient,
  type TargetOf,
} from './support/python-system.ts'

interface Add {
  add(a: number, b: number): number
}

/** A registry that can be started at the port of one that is gone, and whose leases are as long as a test can wait. */
interface RegistryKind {
  readonly name: string
  start(port?: string): Promise<Part>
  /** The ways in which clients of ours can ask it. */
  readonly ways: readonly TargetOf[]
}

const portOf = ({ address }: Part) => address.replace(/.*:/, '')

function ours(faces: FacesOptions, older: TargetOf): RegistryKind {
  return {
    name: 'a registry of ours',
    start: (port = '0') => startOurRegistry(faces, Number(port)),
    ways: [own, older],
  }
}

const labRegistries: readonly RegistryKind[] = [
  {
    name: 'the registry in Python',
    start: (port = '0') => labRegistry('-p', port, '--check', '0.1', '--threshold', '1'),
    ways: [overHttp],
  },
  ours({ json: { leaseMs: 1_000 } }, overHttp),
]

const protoRegistries: readonly RegistryKind[] = [
  {
    name: 'the registry in Python',
    start: (port = '0') => protoRegistry('-p', port, '--timeout', '1'),
    ways: [overTcp],
  },
  ours({ protobuf: { leaseMs: 1_000 } }, overTcp),
]

/** Clients of ours, each of which asks the registry in another way. */
function connectAll(ways: readonly TargetOf[], { address }: Part) {
  const running = new AsyncDisposableStack()
  const clients = ways.map((at) => running.use(farcall.connect(at(address))))
  return {
    /** What everybody answers each of them. */
    async call(...expected: readonly number[]) {
      for (const client of clients) {
        const answers = await client.service<Add>('').$broadcast().add(1, 2)
        assert.deepEqual(
          answers.map(({ value, error }) => error?.message ?? value),
          expected,
        )
      }
    },
    async are(discovery: 'live' | 'stale') {
      for (const client of clients)
        await eventually(async () => assert.equal(client.status().services[0]?.discovery, discovery))
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

describe('the system with JSON', { skip: noPython(), concurrency: 4 }, () => {
  const ports = async ({ address }: Part, proto?: string) =>
    (await findEntries(address, proto)).map(({ port }) => port).toSorted((a, b) => a - b)

  for (const { name, start, ways } of labRegistries) {
    it(`${name} is killed: calls go on; it is back and has everybody within a heartbeat`, async () => {
      const registry = await start()
      await using _inPython = await labServer(registry.address)
      await using server = await ourLabServer(overHttp)(registry.address)
      await using python = startLabClient(registry.address)
      await using clients = connectAll(ways, registry)
      const callAll = async () => {
        assert.equal(await python.add(1, 2), 13)
        await clients.call(13, 13)
      }
      await callAll()
      const before = await ports(registry)
      assert.equal(before.length, 2)
      await registry[Symbol.asyncDispose]()
      await clients.are('stale')
      await callAll()
      await using again = await start(portOf(registry))
      await eventually(async () => assert.deepEqual(await ports(again), before))
      assert.deepEqual(
        (await findEntries(again.address, 'farcall')).map(({ parameters }) => parameters['id']),
        [server.id],
      )
      await clients.are('live')
      await eventually(callAll)
    })

    it(`${name}: servers that are killed are gone within its lease`, async () => {
      await using registry = await start()
      await using python = await labServer(registry.address)
      await using process = await startTools(['--registry', overHttp(registry.address)])
      await process.line(/has this server as/)
      await using living = await ourLabServer(overHttp)(registry.address)
      const [at = own] = ways
      await using client = farcall.connect(at(registry.address))
      assert.equal((await client.refresh('')).length, 3)
      const killedAt = performance.now()
      await Promise.all([python.stop('SIGKILL'), process.stop('SIGKILL')])
      const [port] = living.targets.map((target) => Number(target.replace(/.*:/, '')))
      for (const proto of ['json', 'farcall'])
        await eventually(async () => assert.deepEqual(await ports(registry, proto), [port]))
      assert.ok(performance.now() - killedAt < 3_000, 'a lease of 1 s')
      await eventually(async () => assert.equal((await client.refresh('')).length, 1))
      assert.equal(await client.service<Add>('').add(1, 2), 13)
    })

    it(`${name}: who leaves is gone at once`, async () => {
      await using registry = await start()
      await using python = await labServer(registry.address)
      const server = await ourLabServer(overHttp)(registry.address)
      assert.equal((await ports(registry)).length, 2)
      await Promise.all([python.stop('SIGINT'), server.close()])
      assert.deepEqual([await ports(registry), await ports(registry, 'farcall')], [[], []])
    })

    it(`${name}: a server of ours is one instance to ours, with all that it says of itself`, async () => {
      await using registry = await start()
      const common = { port: 0, registry: overHttp(registry.address) }
      await using west = await farcall.serve([lab], { ...common, zone: 'west', weight: 3 })
      await using east = await farcall.serve([lab], { ...common, zone: 'east' })
      await Promise.all([west.registered, east.registered])
      for (const at of ways) {
        await using client = farcall.connect(at(registry.address))
        await eventually(async () => assert.equal((await client.endpoints('lab')).length, 2))
        const found = await client.endpoints('lab')
        const seen = found.map(({ endpoint, instance: { weight, zone } }) => [endpoint, { weight, zone }])
        assert.deepEqual(Object.fromEntries(seen), {
          [String(west.targets[0])]: { weight: 3, zone: 'west' },
          [String(east.targets[0])]: { weight: 1, zone: 'east' },
        })
        await using near = farcall.connect(at(registry.address), { zone: 'west' })
        assert.equal(await near.service<typeof lab>('lab').add(1, 2), 13)
        assert.equal((await near.endpoints('lab')).length, 1)
      }
    })

    it(`${name}: what a server in Python has among its parameters is looked for`, async () => {
      await using registry = await start()
      const zones = ['größe', 'klein']
      await using servers = new AsyncDisposableStack()
      for (const area of zones) {
        const parameters = JSON.stringify({ area, services: ['lab'], load: 0.5 })
        servers.use(await labServer(registry.address, '--parameters', parameters))
      }
      for (const at of ways) {
        await using client = farcall.connect(at(registry.address), {
          metadata: { area: 'größe', load: '0.5' },
        })
        assert.equal(await client.service<Add>('').add(1, 2), 13)
        const [one, ...others] = await client.endpoints('')
        assert.deepEqual([one?.instance.metadata['area'], others.length], ['größe', 0])
        assert.deepEqual(one?.instance.services, [{ name: 'lab' }])
      }
    })
  }
})

describe('the system with protobuf', { skip: noPythonProtobuf(), concurrency: 4 }, () => {
  /** How many servers a registry tells of that have a name. */
  const count = async ({ address }: Part, name: string) => {
    await using client = farcall.connect(`lab-protobuf+tcp://${address}`)
    return (await client.service<LabRegistry>(labRegistryService).discover({ service: name })).length
  }

  for (const { name, start, ways } of protoRegistries) {
    it(`${name} is killed: calls go on; it is back and asks everybody to register again`, async () => {
      const registry = await start()
      await using python = await protoServer(registry.address)
      await using _ours = await ourProtoServer(overTcp)(registry.address)
      await using clients = connectAll(ways, registry)
      await clients.call(3, 3)
      await registry[Symbol.asyncDispose]()
      await clients.are('stale')
      await clients.call(3, 3)
      await using again = await start(portOf(registry))
      await python.line(/heartbeat: re-register/)
      await eventually(async () => assert.equal(await count(again, 'add'), 2))
      await clients.are('live')
      await eventually(() => clients.call(3, 3))
    })

    it(`${name}: servers that are killed are gone within its lease`, async () => {
      await using registry = await start()
      await using python = await protoServer(registry.address)
      await using process = await startTools(['--registry', overTcp(registry.address)])
      await process.line(/has this server as/)
      assert.equal(await count(registry, 'add'), 2)
      await using _living = await ourProtoServer(overTcp)(registry.address)
      const killedAt = performance.now()
      await Promise.all([python.stop('SIGKILL'), process.stop('SIGKILL')])
      await eventually(async () => assert.equal(await count(registry, 'add'), 1))
      assert.ok(performance.now() - killedAt < 4_000, 'a lease of 1 s')
      const [nobody, found] = await askAll(`tcp://${registry.address}`, [
        { type: 'discover', service: 'find_user' },
        { type: 'discover', service: 'sleep' },
      ])
      assert.deepEqual([nobody?.type, found?.type], ['fail', 'success'])
      assert.match(nobody?.content ?? '', /find_user/)
    })

    it(`${name}: a method is found alone and with its service, and a service by ours`, async () => {
      await using registry = await start()
      await using server = await farcall.serve([calculator], { port: 0, registry: overTcp(registry.address) })
      await server.registered
      await using _python = await protoServer(registry.address)
      const answers = await askAll(
        `tcp://${registry.address}`,
        [
          { service: 'add', args: { a: 1, b: 2 } },
          { service: 'Calculator.add', args: { a: 3, b: 4 } },
        ],
        ['--discover'],
      )
      assert.deepEqual(
        answers.map(({ type, add }) => [type, add]),
        [
          ['success', { sum: 3 }],
          ['success', { sum: 7 }],
        ],
      )
      for (const at of ways) {
        await using client = farcall.connect(at(registry.address))
        assert.equal(await client.service<typeof calculator>('Calculator').add(1, 2), 3)
        assert.equal((await client.endpoints('Calculator')).length, 1)
      }
    })
  }
})
