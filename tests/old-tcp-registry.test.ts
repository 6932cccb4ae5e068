// A cluster whose registry is still that of the protobuf lab: ours and theirs, servers and clients, find each other through it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFarcall, service, silentLogger } from 'farcall'
import { nodeParts } from '../src/node.ts'
import { eventually } from './support/go-peer.ts'
import { createLogLines } from './support/log-lines.ts'
import { askAll, type ListeningPeer, noPythonProtobuf, startListening } from './support/protobuf-peer.ts'

const farcall = createFarcall({ ...nodeParts, logger: silentLogger })
const calculator = service('Calculator', { add: (a: number, b: number) => a + b })
const targetOf = ({ address }: ListeningPeer) => `lab-registry+tcp://${address}?heartbeatMs=200&pollMs=100`

interface Bare {
  add(a: number, b: number): number
}

describe('the TCP registry of the protobuf lab, in Python', { skip: noPythonProtobuf() }, () => {
  it('brings their client to our server, by the method alone and with its service', async () => {
    await using registry = await startListening('proto_registry.py')
    await using server = await farcall.serve([calculator], { port: 0, registry: targetOf(registry) })
    await server.registered
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
  })

  it('brings our client to their server, and to ours', async () => {
    await using registry = await startListening('proto_registry.py')
    await using client = farcall.connect(targetOf(registry))
    {
      await using _ = await startListening('proto_server.py', ['--registry', registry.address])
      await eventually(async () => assert.equal((await client.refresh('Calculator')).length, 0))
      await eventually(async () => assert.equal(await client.service<Bare>('').add(1, 2), 3))
    }
    await using server = await farcall.serve([calculator], { port: 0, registry: targetOf(registry) })
    await server.registered
    await eventually(async () => assert.equal((await client.refresh('Calculator')).length, 1))
    assert.equal(await client.service<typeof calculator>('Calculator').add(1, 2), 3)
  })

  it('killed, it is not missed; back, it asks our server to register again', async () => {
    const registry = await startListening('proto_registry.py')
    const ours = createLogLines()
    const theirs = createLogLines()
    const target = targetOf(registry)
    await using server = await farcall.serve([calculator], { port: 0, registry: target, logger: ours.logger })
    await server.registered
    await using client = farcall.connect(target, { logger: theirs.logger })
    const remote = client.service<Bare>('')
    assert.equal(await remote.add(1, 2), 3)
    const noticed = [ours.next(/warn: .*trying on/), theirs.next(/warn: .*cannot tell who is there/)]
    await registry.stop('SIGKILL')
    await Promise.all(noticed)
    assert.equal(await remote.add(1, 2), 3)
    const back = [
      ours.next(/warn: .*no longer knows .*registering again/),
      ours.next(/info: .*answers again/),
    ]
    await using again = await startListening('proto_registry.py', [
      '-p',
      registry.address.split(':')[1] ?? '',
    ])
    await Promise.all(back)
    const [found] = await askAll(`tcp://${again.address}`, [{ type: 'discover', service: 'add' }])
    assert.deepEqual(
      found?.servers.map(({ host, port }) => `tcp://${host}:${port}`),
      server.targets,
    )
    await eventually(async () => assert.equal(client.status().services[0]?.discovery, 'live'))
  })
})
