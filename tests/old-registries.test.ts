// A cluster whose registry is still the old one: ours and theirs, servers and clients, find each other through it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { service } from 'farcall'
import { eventually } from './support/go-peer.ts'
import { createLogLines } from './support/log-lines.ts'
import { farcall } from './support/older-systems.ts'
import { startOurRegistry } from './support/our-registry.ts'
import { start, type TestProcess } from './support/process.ts'
import { noPython, parseLines } from './support/python-peer.ts'

const peers = fileURLToPath(new URL('peers/python/', import.meta.url))
const skip = noPython()

const math = service('math', { add: (a: number, b: number, c = 10) => a + b + c })

interface Bare {
  add(a: number, b: number): number
}

interface Lab extends AsyncDisposable {
  readonly process: TestProcess
  readonly port: string
  /** For us, with periods that a test can wait for. */
  readonly target: string
  /** Who speaks a protocol, as the registry tells. */
  find(proto: string): Promise<{ host: string; port: number; parameters: Record<string, string> }[]>
}

async function startLab(port = '0', flags: readonly string[] = []): Promise<Lab> {
  const process = start('python3', [`${peers}lab_registry.py`, '-l', '127.0.0.1', '-p', port, ...flags])
  const [, found = ''] = await process.line(/listening on \S+:(\d+)/)
  const query = 'heartbeatMs=200&pollMs=100'
  return {
    process,
    port: found,
    target: `lab-registry+http://127.0.0.1:${found}?${query}`,
    async find(proto) {
      const response = await fetch(`http://127.0.0.1:${found}/myRegistry/findAllInstances?proto=${proto}`)
      return (await response.json()) as Awaited<ReturnType<Lab['find']>>
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  }
}

/** The client in Python, asked line by line. */
function startClient({ port }: Lab) {
  const process = start('python3', [`${peers}lab_client.py`, '-m', 'registry', '-r', `127.0.0.1:${port}`])
  let asked = 0
  return {
    async ask(method: string, ...args: unknown[]): Promise<unknown> {
      asked++
      process.child.stdin?.write(`${JSON.stringify({ method, args })}\n`)
      await process.line(new RegExp(`(.*"result".*\\n[^]*){${asked}}`))
      const results = parseLines(process.output).filter(({ type }) => type === 'result')
      return results[asked - 1]?.['value']
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  }
}

describe('the HTTP registry of the JSON lab, in Python', { skip }, () => {
  it('brings their client to our server', async () => {
    await using lab = await startLab()
    await using server = await farcall.serve([math], { port: 0, registry: lab.target })
    await server.registered
    await using client = startClient(lab)
    assert.equal(await client.ask('add', 1, 2), 13)
    const [entry] = await lab.find('json')
    assert.deepEqual(
      [entry?.host, `tcp://127.0.0.1:${entry?.port}`, entry?.parameters['services']],
      ['127.0.0.1', server.targets[0], 'math'],
    )
  })

  it('brings our client to their server, which says that it is at 0.0.0.0', async () => {
    await using lab = await startLab()
    const args = [`${peers}lab_server.py`, '-p', '0', '-r', `127.0.0.1:${lab.port}`, '--heartbeat', '0.2']
    await using server = start('python3', args)
    await server.line(/listening on \S+/)
    await using client = farcall.connect(lab.target)
    await eventually(async () => assert.equal((await client.refresh('')).length, 1))
    assert.equal(await client.service<Bare>('').add(1, 2), 13)
    const [found] = await client.endpoints('')
    assert.match(found?.endpoint ?? '', /^lab-json\+tcp:\/\/127\.0\.0\.1:\d+$/)
    const ended = server.stop('SIGINT')
    await ended
    assert.deepEqual(await lab.find('json'), [])
  })

  it('brings our client to our server in our own protocol, with all that we say of it', async () => {
    await using lab = await startLab()
    await using west = await farcall.serve([math], { port: 0, registry: lab.target, zone: 'west', weight: 3 })
    await using east = await farcall.serve([math], { port: 0, registry: lab.target, zone: 'east' })
    await Promise.all([west.registered, east.registered])
    await using client = farcall.connect(lab.target, { zone: 'west' })
    assert.equal(await client.service<typeof math>('math').add(1, 2), 13)
    const [found, ...others] = await client.endpoints('math')
    assert.deepEqual([found?.endpoint, others.length], [west.targets[0], 0])
    const { id, weight, zone } = found?.instance ?? {}
    assert.deepEqual([id, weight, zone], [west.id, 3, 'west'])
  })

  it('killed, it is not missed; back, it has everybody within a heartbeat', async () => {
    const lab = await startLab()
    const { port, target } = lab
    const ours = createLogLines()
    const theirs = createLogLines()
    await using server = await farcall.serve([math], { port: 0, registry: target, logger: ours.logger })
    await server.registered
    await using client = farcall.connect(target, { logger: theirs.logger })
    await using python = startClient(lab)
    const m = client.service<typeof math>('math')
    assert.equal(await m.add(1, 2), 13)
    assert.equal(await python.ask('add', 1, 2), 13)
    const noticed = [ours.next(/warn: .*trying on/), theirs.next(/warn: .*cannot tell who is there/)]
    await lab.process.stop('SIGKILL')
    await Promise.all(noticed)
    const status = () => client.status().services[0]
    await eventually(async () => assert.equal(status()?.discovery, 'stale'))
    assert.match(status()?.reason?.message ?? '', /^GET http:.*findAllInstances\?proto=/)
    assert.equal(await m.add(1, 2), 13)
    assert.equal(await python.ask('add', 1, 2), 13)
    const back = [ours.next(/info: .*answers again/), theirs.next(/debug: .*answers again/)]
    await using again = await startLab(port)
    await Promise.all(back)
    await eventually(async () => {
      const known = await again.find('json')
      assert.deepEqual(
        known.map((entry) => entry.parameters['id']),
        [server.id],
      )
    })
    await eventually(async () => assert.equal(status()?.discovery, 'live'))
    assert.equal(await m.add(1, 2), 13)
  })

  it('has nobody who has left, and after a while nobody who died', async () => {
    await using lab = await startLab('0', ['--check', '0.1', '--threshold', '0.5'])
    const server = await farcall.serve([math], { port: 0, registry: lab.target })
    await server.registered
    await server.close()
    assert.deepEqual([await lab.find('json'), await lab.find('farcall')], [[], []])
    await using stopped = start('python3', [
      `${peers}lab_server.py`,
      '-p',
      '0',
      '-r',
      `127.0.0.1:${lab.port}`,
    ])
    await eventually(async () => assert.equal((await lab.find('json')).length, 1))
    await stopped.stop('SIGKILL')
    await eventually(async () => assert.deepEqual(await lab.find('json'), []))
  })

  it('another server at its address is told apart: it is an error, not a registry without servers', async () => {
    await using other = await farcall.serve([math], { port: 0 })
    const target = (other.targets[0] ?? '').replace('tcp:', 'lab-registry+http:')
    await using server = await farcall.serve([math], { port: 0, registry: target })
    await assert.rejects(server.registered, { message: /\/myRegistry\/unregister was answered with 4\d\d/ })
    await using client = farcall.connect(target, { timeoutMs: 300 })
    await assert.rejects(async () => client.service<typeof math>('math').add(1, 2), {
      code: 'deadline_exceeded',
      message: /findAllInstances\?proto=farcall was answered with 4\d\d/,
    })
  })
})

describe('a process', () => {
  it('that only closed its server and client ends, whatever the registry does', async () => {
    await using registry = await startOurRegistry()
    const target = `geerpc-registry+http://${registry.address}`
    const program = `
      import { connect, serve, service } from 'farcall'
      const server = await serve([service('Foo', { Sum: () => 3 })], { port: 0, registry: '${target}' })
      await server.registered
      const client = connect('${target}')
      console.log('sum', await client.service('Foo').Sum({}))
      await client.close()
      await server.close()`
    const args = ['--conditions=@farcall/source', '--input-type=module', '-e', program]
    await using child = start(process.execPath, args)
    const ended = once(child.child, 'close')
    await child.line(/sum 3/)
    assert.deepEqual(await ended, [0, null])
  })
})
