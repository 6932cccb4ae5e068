import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { connect } from 'farcall'
import type { tools as Tools } from './modules/tools.ts'
import { farcall, folder, startFarcall, startRegistry, startTools, tools } from './support/cli.ts'
import { startProgram } from './support/process.ts'

// What a server registers is what others can dial, wherever it listens.

const withoutIpv6 =
  Object.values(networkInterfaces())
    .flat()
    .some((face) => face?.address === '::1') === false && 'this machine has no IPv6'

/** The addresses at which the registry says that the instances are, whatever is spoken there. */
async function registeredAt(registry: string): Promise<string[]> {
  const { stdout } = await farcall(['list', '--json', '--registry', registry])
  const { instances } = JSON.parse(stdout) as { instances: { endpoints: string[] }[] }
  const addresses = instances.flatMap(({ endpoints }) =>
    endpoints.map((text) => text.replace(/^[a-z-]+\+/, '')),
  )
  return [...new Set(addresses)]
}

async function callThrough(target: string): Promise<void> {
  await using client = connect(target)
  assert.equal(await client.service<typeof Tools>('tools').add(1, 2), 13)
}

it('port 0 registers the port that it became', async () => {
  await using registry = await startRegistry()
  await using server = await startTools(['--registry', registry.target])
  await server.line(/has this server as/)
  assert.doesNotMatch(server.target, /:0$/)
  assert.deepEqual(await registeredAt(registry.target), [server.target])
  await callThrough(registry.target)
})

it('advertise registers another host with the real port, another port, or a whole target', async () => {
  await using registry = await startRegistry()
  const expected: [string, (port: string) => string][] = [
    ['math.example', (port) => `tcp://math.example:${port}`],
    ['math.example:1234', () => 'tcp://math.example:1234'],
    ['tls://math.example:443', () => 'tls://math.example:443'],
    ['::1', (port) => `tcp://[::1]:${port}`],
  ]
  for (const [advertise, endpoint] of expected) {
    await using server = await startTools(['--registry', registry.target, '--advertise', advertise])
    await server.line(/has this server as/)
    const port = server.target.replace(/.*:/, '')
    assert.deepEqual(await registeredAt(registry.target), [endpoint(port)])
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
  }
})

it('an address that nobody can dial is refused where it is advertised', async () => {
  const refused = await farcall(['serve', tools, '-p', '0', '--advertise', '0.0.0.0'])
  assert.match(refused.stderr, /'0\.0\.0\.0' cannot be advertised: nobody can dial 0\.0\.0\.0/)
  assert.equal(refused.code, 2)
})

for (const wildcard of ['0.0.0.0', '::'] as const) {
  const skip = wildcard === '::' && withoutIpv6
  it(`a server that listens at ${wildcard} registers an address that can be reached`, { skip }, async () => {
    await using registry = await startRegistry()
    await using server = startFarcall([
      'serve',
      tools,
      '-l',
      wildcard,
      '-p',
      '0',
      '--registry',
      registry.target,
    ])
    const [, port] = await server.line(/listening at tcp:\/\/\S*:(\d+) /)
    await server.line(/has this server as/)
    const [endpoint, ...others] = await registeredAt(registry.target)
    // It is as the registry sees it.
    assert.equal(endpoint, `tcp://127.0.0.1:${port}`)
    assert.deepEqual(others, [])
    await callThrough(registry.target)
  })
}

it('a server that listens at 0.0.0.0 before its registry is there registers an address that can be reached', async () => {
  const first = await startRegistry()
  await first.stop('SIGKILL')
  await using server = startFarcall(['serve', tools, '-l', '0.0.0.0', '-p', '0', '--registry', first.target])
  await server.line(/nothing listens/)
  await using _registry = await startRegistry(['-p', first.target.replace(/.*:/, '')])
  await server.line(/has this server as/)
  await callThrough(first.target)
})

it('a server that was started before its registry registers when that comes, and a client finds it then', async () => {
  const first = await startRegistry()
  await first.stop('SIGKILL')
  await using server = await startTools(['--registry', first.target])
  await server.line(/nothing listens/)
  await using client = connect(first.target)
  const { add } = client.service<typeof Tools>('tools').$with({ timeoutMs: 20_000 })
  await using registry = await startRegistry(['-p', first.target.replace(/.*:/, '')])
  await server.line(/has this server as/)
  assert.deepEqual(await registeredAt(registry.target), [server.target])
  assert.equal(await add(1, 2), 13)
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
  assert.deepEqual(await registeredAt(registry.target), [])
})

it('a registry, a server and a client meet over IPv6', { skip: withoutIpv6 }, async () => {
  await using registry = startFarcall(['registry', '-l', '::1', '-p', '0'])
  const [, at] = await registry.line(/listening at tcp:\/\/(\[::1\]:\d+)/)
  const target = `registry://${at}`
  await using server = startFarcall(['serve', tools, '-l', '::1', '-p', '0', '--registry', target])
  const [, own = ''] = await server.line(/listening at (tcp:\/\/\[::1\]:\d+)/)
  await server.line(/has this server as/)
  assert.deepEqual(await registeredAt(target), [own])
  await callThrough(target)
  await callThrough(own)
  assert.equal((await farcall(['call', 'tools.add', '1', '2', '--registry', target])).stdout, '13\n')
  for (const process of [server, registry])
    assert.deepEqual(await process.stop('SIGINT'), { code: 0, signal: null })
})

it('a server at a unix socket registers it, leaves nothing behind, and takes over what a killed one left', async () => {
  using place = folder({})
  const path = join(place.path, 'tools.sock')
  await using registry = await startRegistry()
  const options = JSON.stringify({ listen: `unix:${path}`, registry: registry.target })
  {
    await using killed = startProgram('processes/listener.ts', [options])
    await killed.line(/ready/)
    await killed.stop('SIGKILL')
    assert.ok(existsSync(path))
  }
  await using server = startProgram('processes/listener.ts', [options])
  assert.equal((await server.line(/ready (\S+)/))[1], `unix:${path}`)
  await server.line(/registered/)
  assert.ok(statSync(path).isSocket())
  await callThrough(`unix:${path}`)
  assert.ok((await registeredAt(registry.target)).includes(`unix:${path}`))
  await callThrough(registry.target)
  await using second = startProgram('processes/listener.ts', [options])
  await assert.rejects(second.line(/^ready/m), /in use/)
  await callThrough(`unix:${path}`)
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
  assert.equal(existsSync(path), false)
})
