// The Python systems of the documents 000 and 001 (JSON) and 002 (protobuf), whole in Python, and with parts of ours in the
// place of theirs.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Server } from 'farcall'
import { startOurRegistry } from './support/our-registry.ts'
import { noPythonProtobuf } from './support/protobuf-peer.ts'
import { noPython } from './support/python-peer.ts'
import {
  type Asked,
  labClient,
  labRegistry,
  labServer,
  ourClient,
  ourLabServer,
  ourProtoServer,
  overHttp,
  overTcp,
  own,
  protoClient,
  protoRegistry,
  protoServer,
  type RunClient,
  type StartRegistry,
  type StartServer,
  type TargetOf,
  withMore,
} from './support/python-system.ts'

interface System {
  readonly registry: StartRegistry
  readonly server: StartServer
  readonly client: RunClient
}

interface Adding {
  add(a: number, b: number): number
}

interface Lab {
  readonly name: string
  readonly skip: string | false
  readonly inPython: System
  /** Registers at a registry in one of its ways. */
  readonly serverOfOurs: (at: TargetOf) => StartServer<Server>
  /** The way of the registry in Python. */
  readonly older: TargetOf
  /** What its clients ask, and what comes of it. */
  readonly asks: readonly (readonly [ask: Asked, result: unknown])[]
}

const labs: readonly Lab[] = [
  {
    name: 'JSON',
    skip: noPython(),
    inPython: { registry: labRegistry, server: labServer, client: labClient },
    serverOfOurs: ourLabServer,
    older: overHttp,
    asks: [
      [{ method: 'add', args: [1, 2] }, 13],
      [{ method: 'add', kwargs: { b: 2, c: 3, a: 1 } }, 6],
      [{ method: 'upper', args: ['grüße €😀'] }, 'GRÜSSE €😀'],
      [{ method: 'reverse', args: [[1, 'a', null, { x: true }]] }, [{ x: true }, null, 'a', 1]],
      [{ method: 'nope' }, /'?nope/],
      [{ method: 'add', args: [1] }, /missing .*'b'/],
      [{ method: 'div', args: [1, 0] }, /division by zero/],
    ],
  },
  {
    name: 'protobuf',
    skip: noPythonProtobuf(),
    inPython: { registry: protoRegistry, server: protoServer, client: protoClient },
    serverOfOurs: ourProtoServer,
    older: overTcp,
    asks: [
      [{ method: 'add', kwargs: { a: 1, b: 2 } }, 3],
      [{ method: 'add', kwargs: { a: -5, b: 3 } }, -2],
      [{ method: 'add', kwargs: {} }, 0],
      [{ method: 'upper', kwargs: { text: 'grüße €😀' } }, 'GRÜSSE €😀'],
      [
        { method: 'divide', kwargs: { a: 7, b: 2 } },
        { quotient: 3, remainder: 1 },
      ],
      [{ method: 'divide', kwargs: { a: 1, b: 0 } }, /division/],
    ],
  },
]

/** The system in Python; each of its parts replaced by ours; and all but one. */
function systemsOf({ inPython, serverOfOurs, older }: Lab): Readonly<Record<string, System>> {
  const ofOurs = { registry: () => startOurRegistry() }
  const { registry, server, client } = inPython
  return {
    'all of it in Python': inPython,
    'a registry of ours': { ...inPython, ...ofOurs },
    'a server of ours': { ...inPython, server: serverOfOurs(older) },
    'a client of ours': { ...inPython, client: ourClient(older) },
    'only the client in Python': { ...ofOurs, server: serverOfOurs(own), client },
    'only the client in Python, our server registers in its way': {
      ...ofOurs,
      server: serverOfOurs(older),
      client,
    },
    'only the server in Python': { ...ofOurs, server, client: ourClient(own) },
    'only the server in Python, our client asks in its way': { ...ofOurs, server, client: ourClient(older) },
    'only the registry in Python': { registry, server: serverOfOurs(older), client: ourClient(older) },
  }
}

for (const lab of labs)
  describe(`the system with ${lab.name}`, { skip: lab.skip, concurrency: 4 }, () => {
    for (const [name, { registry, server, client }] of Object.entries(systemsOf(lab)))
      it(`${name}: calls, errors, and ten clients at once`, async () => {
        await using directory = await registry()
        await using _ = await server(directory.address)
        const run = (asks: readonly Asked[], atOnce = false) => client(directory.address, asks, atOnce)
        const results = await run(lab.asks.map(([ask]) => ask))
        for (const [i, [ask, expected]] of lab.asks.entries()) {
          if (expected instanceof RegExp) assert.match(String(results[i]), expected)
          else assert.deepEqual(results[i], expected, ask.method)
        }
        const seconds = Array.from({ length: 10 }, (_value, i) => 0.4 + i / 100)
        const sleeps = seconds.map((each) => ({ method: 'sleep', kwargs: { seconds: each } }))
        const begun = performance.now()
        assert.deepEqual(await run(sleeps, true), seconds)
        assert.ok(performance.now() - begun < 3_000, 'none waits for another')
      })

    const { inPython, serverOfOurs, older } = lab
    const fleets: readonly (readonly [where: string, StartRegistry, TargetOf])[] = [
      ['the registry in Python', inPython.registry, older],
      ['a registry of ours', () => startOurRegistry(), own],
    ]
    for (const [where, registry, at] of fleets)
      it(`a server in Python beside one of ours, at ${where}: both are called, by clients of both`, async () => {
        await using directory = await registry()
        await using _inPython = await inPython.server(directory.address)
        await using ours = await serverOfOurs(at)(directory.address)
        const called = () => ours.stats().methods.reduce((sum, { calls }) => sum + calls, 0)
        const asks = Array.from({ length: 40 }, (_value, i) => ({ method: 'add', kwargs: { a: i, b: 1 } }))
        const sums = (await inPython.client(directory.address, asks)) as readonly number[]
        assert.equal(new Set(sums.map((sum, i) => sum - i)).size, 1, 'they agree')
        assert.ok(called() > 0 && called() < asks.length, `${called()} of ${asks.length}`)
        await using client = withMore.connect(at(directory.address))
        const answers = await client.service<Adding>('').$broadcast().add(1, 1)
        assert.deepEqual(
          answers.map(({ value, error }) => error?.message ?? value),
          [sums[1], sums[1]],
        )
      })
  })
