// The Python system of the protobuf lab, as real processes: its clients call our server, we call its servers.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { type Client, createFarcall, RpcError, service, silentLogger } from 'farcall'
import { internalService } from '../src/core/service.ts'
import { labRegistryService, type LabRegistry, type LabServer } from '../src/discovery/api/lab-registry.ts'
import { nodeParts } from '../src/node.ts'
import { createLabProtobufProtocol, labProtobufProtocol } from '../src/protocols/lab-protobuf/index.ts'
import { bystander } from './support/bystander.ts'
import { hostAndPort } from './support/older-systems.ts'
import { askAll, noPythonProtobuf, startListening } from './support/protobuf-peer.ts'

const skip = noPythonProtobuf()
const moreProto = readFileSync(new URL('peers/python/more.proto', import.meta.url), 'utf8')
const farcallWith = (protocol = createLabProtobufProtocol({ proto: moreProto })) =>
  createFarcall({
    ...nodeParts,
    logger: silentLogger,
    protocols: [...nodeParts.protocols.filter(({ name }) => name !== protocol.name), protocol],
  })
// The lab's own messages, and those that somebody made of them.
const farcall = farcallWith(labProtobufProtocol)
const more = farcallWith()
const moreFlags = ['--proto', 'more.proto']

const calculator = service('Calculator', { add: (a: number, b: number) => a + b })
const lab = service('lab', {
  add: (a: number, b: number) => a + b,
  upper: (text: string) => text.toUpperCase(),
  divide(a: number | bigint, b: number) {
    if (b === 0) throw new RpcError('invalid_argument', 'division by zero')
    const wide = BigInt(a)
    return { quotient: wide / BigInt(b), remainder: wide % BigInt(b) }
  },
  async sleep(seconds: number) {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    return seconds
  },
  find_user: (request: { id: number; name?: string }) => ({
    id: request.id,
    name: request.name ?? 'nobody',
    roles: ['reader', 'writer'],
  }),
  crash() {
    throw new TypeError('secret')
  },
})

describe('the client in Python calls us', { skip }, () => {
  it('adds, by the bare name and with the service, as the lab has it', async () => {
    await using server = await farcall.serve([calculator], { port: 0 })
    const answers = await askAll(server.targets[0], [
      { service: 'add', args: { a: 1, b: 2 } },
      { service: 'Calculator.add', args: { a: -5, b: 3 } },
      { service: 'add', args: { a: 0, b: 0 } },
      { service: 'add' },
    ])
    assert.deepEqual(
      answers.map(({ type, add }) => [type, add]),
      [3, -2, 0, 0].map((sum) => ['success', { sum }]),
    )
    for (const { time } of answers) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  it('with messages of its own, and gets every outcome', async () => {
    await using server = await more.serve([lab], { port: 0 })
    const answers = await askAll(
      server.targets[0],
      [
        { service: 'upper', args: { text: 'grüße €😀' } },
        { service: 'divide', args: { a: 7, b: 2 } },
        { service: 'find_user', args: { id: 7 } },
        { service: 'find_user', args: { id: 7, name: 'x' } },
        { service: 'divide', args: { a: 1, b: 0 } },
        { service: 'crash' },
        { service: 'nope', args: {}, field: 'add' },
        { service: 'nope.add', args: {}, field: 'add' },
        { service: 'add', args: { text: 'x' }, field: 'upper' },
        { raw: '0a0463616c6c 0a09737562736372696265' },
        { raw: '0a0463616c6c 1203616464 0c' },
        { type: 'discover', service: 'add' },
      ].map((ask) => ({ type: 'call', ...ask })),
      moreFlags,
    )
    const roles = ['reader', 'writer']
    assert.deepEqual(
      answers.slice(0, 4).map(({ type }) => type),
      Array(4).fill('success'),
    )
    assert.deepEqual(answers[0]?.['upper'], { text: 'GRÜSSE €😀' })
    assert.deepEqual(answers[1]?.['divide'], { quotient: 3, remainder: 1 })
    assert.deepEqual(answers[2]?.['find_user'], { user: { id: 7, name: 'nobody', roles } })
    assert.deepEqual(answers[3]?.['find_user'], { user: { id: 7, name: 'x', roles } })
    const failures = answers.slice(4).map(({ type, content }) => `${type}: ${content}`)
    for (const [at, expected] of [
      /^fail: division by zero$/,
      /^fail: internal error \(id /,
      /^fail: no service has a method 'nope'/,
      /^fail: unknown service 'nope'/,
      /^fail: lab\.add has no parameter 'text'; it takes a, b/,
      /^error: unknown type 'subscribe'/,
      /^error: .*a group ends that did not begin/,
      /^fail: this server is no registry$/,
    ].entries())
      assert.match(failures[at] ?? '', expected)
  })

  it('ten at once, each on its own connection, none waiting for another', async () => {
    await using server = await more.serve([lab], { port: 0 })
    const asks = Array.from({ length: 10 }, (_, i) => ({
      service: 'sleep',
      args: { seconds: 0.3 + i / 100 },
    }))
    const begin = performance.now()
    const answers = await askAll(server.targets[0], asks, [...moreFlags, '--at-once'])
    assert.deepEqual(
      answers.map((answer) => answer['sleep']),
      asks.map(({ args }) => args),
    )
    assert.ok(performance.now() - begin < 2500)
    assert.equal(server.stats().connections.accepted, 10)
  })

  it('with more than 64 KiB, and one byte at a time', async () => {
    await using server = await more.serve([lab], { port: 0 })
    const large = await askAll(
      server.targets[0],
      [{ service: 'upper', args: { text: 'ab' }, repeat: 500_000 }],
      moreFlags,
    )
    assert.deepEqual(large[0]?.['upper'], { text: 'AB'.repeat(500_000) })
    const slow = await askAll(
      server.targets[0],
      [{ service: 'divide', args: { a: 7, b: 2 } }],
      [...moreFlags, '--slowly'],
    )
    assert.deepEqual(slow[0]?.['divide'], { quotient: 3, remainder: 1 })
  })

  it('and is told by messages that are too large', async () => {
    await using server = await more.serve([lab], { port: 0, limits: { maxMessageBytes: 10_000 } })
    const answers = await askAll(
      server.targets[0],
      [
        { service: 'upper', args: { text: 'a' }, repeat: 9900 },
        { service: 'upper', args: { text: 'a' }, repeat: 20_000 },
      ],
      moreFlags,
    )
    assert.equal(answers[0]?.type, 'success')
    assert.equal(answers[1]?.type, 'error')
    assert.match(answers[1]?.content ?? '', /at most 10000 are allowed \(limits\.maxMessageBytes\)/)
  })
})

interface Remote {
  add(a?: number | { a?: number; b?: number }, b?: number): number
  upper(text: string): string
  divide(a: number | bigint, b: number): { quotient: number; remainder: number }
  sleep(seconds: number): number
  find_user(request: { id: number; name?: string }): { id: number; name: string; roles: string[] }
  nope(): unknown
}

async function startServer(flags: readonly string[] = moreFlags) {
  const server = await startListening('proto_server.py', flags)
  return { server, target: `lab-protobuf+tcp://${server.address}` }
}

describe('we call the server in Python', { skip }, () => {
  it('with what the lab has: by position, by name, as one object, negative', async () => {
    const { server, target } = await startServer([])
    await using _ = server
    await using client = farcall.connect(target)
    const remote: Client<Remote> = client.service<Remote>('')
    assert.equal(await remote.add(1, 2), 3)
    assert.equal(await remote.add(-1, -2), -3)
    assert.equal(await remote.add(2), 2)
    assert.equal(await remote.add(), 0)
    assert.equal(await remote.add({ a: 3, b: 4 }), 7)
    assert.equal(await remote.$named.add({ a: 3, b: 5 }), 8)
    await assert.rejects(async () => remote.upper('x'), {
      code: 'invalid_argument',
      message: /no field in Request for the arguments of 'upper'; its fields: add/,
    })
  })

  it('with messages of our own, and meet its errors', async () => {
    const { server, target } = await startServer()
    await using _ = server
    await using client = more.connect(target)
    const remote = client.service<Remote>('')
    assert.equal(await remote.upper('grüße'), 'GRÜSSE')
    const large = 2n ** 62n
    assert.deepEqual(await remote.divide(large, 2), { quotient: large / 2n, remainder: 0 })
    assert.deepEqual(await remote.divide(-7, 2), { quotient: -4, remainder: 1 })
    const roles = ['reader', 'writer']
    assert.deepEqual(await remote.find_user({ id: 5 }), { id: 5, name: 'nobody', roles })
    assert.deepEqual(await remote.find_user({ id: 5, name: '' }), { id: 5, name: '', roles })
    await assert.rejects(async () => remote.divide(1, 0), {
      code: 'unknown',
      message: /^ZeroDivisionError: integer division/,
    })
    await assert.rejects(async () => remote.nope(), {
      code: 'unknown',
      message: 'service nope does not exist',
    })
  })

  it('ten at once, each on its own connection', async () => {
    const { server, target } = await startServer()
    await using _ = server
    await using client = more.connect(target)
    const remote = client.service<Remote>('')
    const begin = performance.now()
    const seconds = Array.from({ length: 10 }, (_value, i) => 0.3 + i / 100)
    assert.deepEqual(await Promise.all(seconds.map((each) => remote.sleep(each))), seconds)
    assert.ok(performance.now() - begin < 2500)
  })

  it('with more than 64 KiB', async () => {
    const { server, target } = await startServer([...moreFlags, '--long'])
    await using _ = server
    await using client = more.connect(target)
    assert.equal(await client.service<Remote>('').upper('ab'.repeat(500_000)), 'AB'.repeat(500_000))
  })

  it('and do not wait for one that keeps the connection open', async () => {
    const { server, target } = await startServer([...moreFlags, '--keep-open'])
    await using _ = server
    await using client = more.connect(target)
    const remote = client.service<Remote>('')
    assert.deepEqual(await Promise.all([remote.add(1, 2), remote.add(3, 4), remote.upper('x')]), [3, 7, 'X'])
  })

  it('and fail at once when it is killed', async () => {
    const { server, target } = await startServer()
    await using _ = server
    await using client = more.connect(target, { retry: false })
    const remote = client.service<Remote>('')
    const lost = assert.rejects(async () => remote.sleep(60), { code: 'unavailable' })
    assert.equal(await remote.add(1, 2), 3)
    await server.stop('SIGKILL')
    await lost
    await assert.rejects(async () => remote.add(1, 2), { code: 'unavailable' })
  })
})

describe('the registry in Python', { skip }, () => {
  const registered = { service: 'add', host: '127.0.0.1', port: 50_000 }

  it('takes our registrations and heartbeats, and tells where a service is', async () => {
    for (const again of ['re-register', 'reregister', 'RE_REGISTER', 'register']) {
      await using peer = await startListening('proto_registry.py', ['--again', again])
      await using client = farcall.connect(`lab-protobuf+tcp://${peer.address}`)
      const registry: Client<LabRegistry> = client.service<LabRegistry>(labRegistryService)
      const { service: name, ...server } = registered
      await assert.rejects(async () => registry.discover({ service: name }), {
        code: 'not_found',
        message: 'no server has add',
      })
      assert.equal(await registry.heartbeat(server), false)
      await registry.register(registered)
      await registry.register(registered)
      assert.deepEqual(await registry.discover({ service: name }), [server])
      assert.equal(await registry.heartbeat(server), true)
    }
  })

  it('may answer nobody with an empty list', async () => {
    await using peer = await startListening('proto_registry.py', ['--empty-is-success'])
    await using client = farcall.connect(`lab-protobuf+tcp://${peer.address}`)
    assert.deepEqual(await client.service<LabRegistry>(labRegistryService).discover({ service: 'add' }), [])
  })

  it('is asked again by our retry, once it is said that this does no harm', async () => {
    // A registry that cannot read the first request that it gets.
    const proto = labProtobufProtocol
    await proto.load()
    let asked = 0
    const failing = createServer((socket: Socket) => {
      socket.on('error', () => {})
      socket.once('data', () =>
        socket.end(++asked === 1 ? '\n\u0005error\u0012\u0004busy' : '\n\u0007success'),
      )
    })
    failing.listen(0, '127.0.0.1')
    await once(failing, 'listening')
    const { port } = failing.address() as { port: number }
    await using client = farcall.connect(`lab-protobuf+tcp://127.0.0.1:${port}`)
    const registry = client.service<LabRegistry>(labRegistryService)
    await assert.rejects(async () => registry.register(registered), { code: 'unavailable', message: 'busy' })
    asked = 0
    await registry.$with({ idempotent: true }).register(registered)
    assert.equal(asked, 2)
    failing.close()
  })
})

describe('a server that offers what a registry does', { skip }, () => {
  it('is the registry of clients and servers in Python', async () => {
    const servers = new Map<string, LabServer[]>()
    let alive = true
    const registry = internalService(labRegistryService, {
      register({ service: name, host, port }) {
        servers.set(name, [{ host, port }])
        alive = true
      },
      discover: ({ service: name }) => servers.get(name) ?? [],
      heartbeat: (_server) => alive,
    } satisfies LabRegistry)
    await using server = await farcall.serve([registry], { port: 0 })
    const target = server.targets[0] ?? ''
    const { host, port } = hostAndPort(target)
    const announce = ['--registry', `${host}:${port}`, '--heartbeat', '0.1']
    await using python = await startListening('proto_server.py', announce)
    await python.line(/register add: success registered/)
    await python.line(/heartbeat: success/)
    const [answer] = await askAll(target, [{ service: 'add', args: { a: 1, b: 2 } }], ['--discover'])
    assert.deepEqual(answer?.['add'], { sum: 3 })
    const [nobody] = await askAll(target, [{ service: 'mul' }], ['--discover'])
    assert.deepEqual([nobody?.type, nobody?.content], ['fail', "no server offers 'mul'"])
    servers.clear()
    alive = false
    await python.line(/heartbeat: re-register\nregister add: success registered/)
    assert.equal(servers.size, 1)
  })
})

describe('we call ourselves over lab-protobuf', () => {
  it('all that fits into messages', async () => {
    await using server = await more.serve([lab], { port: 0 })
    await using client = more.connect(`lab-protobuf+${server.targets[0]}`)
    const remote = client.service<Remote>('lab')
    assert.equal(await remote.add(1, 2), 3)
    assert.equal(await remote.upper('x'.repeat(3_000_000)), 'X'.repeat(3_000_000))
    await assert.rejects(async () => remote.divide(1, 0), { code: 'unknown', message: 'division by zero' })
    await assert.rejects(async () => remote.upper('x'.repeat(5_000_000)), {
      code: 'resource_exhausted',
      message: /at \$\.upper\.text is larger than 4194304 bytes/,
    })
  })

  it('beside peers that send nonsense, or half of something, and nobody notices', async () => {
    await using server = await more.serve([lab], { port: 0 })
    const target = server.targets[0] ?? ''
    const { host, port } = hostAndPort(target)
    await using client = more.connect(`lab-protobuf+${target}`)
    const remote = client.service<Remote>('lab')
    await using other = bystander(async (n) => assert.equal(await remote.add(n, 1), n + 1))
    await other.more(20)

    const call = '0a0463616c6c 1203616464'
    const hear = async (bytes: Buffer, ends: boolean) => {
      const socket = connectTcp({ host, port: Number(port), allowHalfOpen: true })
      socket.on('error', () => {})
      if (ends) socket.end(bytes)
      else socket.write(bytes)
      let heard = ''
      socket.setEncoding('latin1').on('data', (text: string) => (heard += text))
      await once(socket, 'end')
      socket.destroy()
      return heard
    }
    const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
    const refused: Buffer[] = [
      hex(`${call} 2affffffffffffffffff01`),
      hex(`${call} 2a8080808008`),
      hex(`${call} 2a03 080108`),
      hex(`${call} ${'0b'.repeat(1000)}`),
      hex(`${call} 0c`),
      hex(`${call} 2a0c ${'0b'.repeat(12)}`),
      Buffer.concat([hex(call), Buffer.alloc(5_000_000, 0x08)]),
      hex('0a0463616c6c 1204ff00ff00 2a00'),
    ]
    for (const bytes of refused) assert.match(await hear(bytes, false), /^\n\u0005error/)
    assert.match(await hear(hex(`${call} 2a`), true), /^\n\u0005error/)

    const halves = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const socket = connectTcp({ host, port: Number(port) })
        socket.on('error', () => {})
        await once(socket, 'connect')
        socket.write(hex(`${call} 2a80`))
        return socket
      }),
    )
    await other.more(20)
    for (const socket of halves) socket.destroy()
    await other.more(20)
  })
})
