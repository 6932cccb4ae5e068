// The registries of the older systems, which a Farcall registry is on its one port: asked over real connections, by
// programs that know nothing of Farcall.
import assert from 'node:assert/strict'
import { Agent, request as httpRequest } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { describe, it } from 'node:test'
import {
  connect,
  type RegistryServer,
  serve,
  service,
  type StartRegistryOptions,
  silentLogger,
  startRegistry,
} from 'farcall'
import { startRegistry as startProgram } from './support/cli.ts'
import { hostAndPort } from './support/older-systems.ts'

const math = service('math', { add: (a: number, b: number, c = 10) => a + b + c })
const foo = service('Foo', { Sum: ({ Num1, Num2 }: { Num1: number; Num2: number }) => Num1 + Num2 })
interface Add {
  add(a: number, b: number): number
}

function begin(options: StartRegistryOptions = {}): Promise<RegistryServer> {
  return startRegistry({ port: 0, logger: silentLogger, ...options })
}

const registryTarget = ({ targets }: RegistryServer) => String(targets[0]).replace('tcp:', 'registry:')

interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** One request on a connection of its own. */
function ask(target: string | undefined, path: string, asking: Asking = {}): Promise<Answer> {
  const { host, port } = hostAndPort(target)
  const { method = 'GET', headers = {}, body } = asking
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false })
    const sent = httpRequest(
      { host, port, path, method, headers, agent, maxHeaderSize: 1 << 20 },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body: text }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** The same with bytes that no library would send. */
function raw(target: string | undefined, text: string): Promise<string> {
  const { host, port } = hostAndPort(target)
  return new Promise((resolve, reject) => {
    const socket = connectSocket(Number(port), host, () => socket.write(text))
    let answer = ''
    socket.setEncoding('utf8').on('data', (piece: string) => (answer += piece))
    socket.on('end', () => resolve(answer)).on('error', reject)
  })
}

const instanceAt = (target: string | undefined, patch: object = {}) => {
  const { host, port } = hostAndPort(target)
  return JSON.stringify({
    protocol: 'json',
    host,
    port: Number(port),
    status: null,
    parameters: {},
    ...patch,
  })
}

describe('the faces of a registry', () => {
  it('answer beside its own protocol, on the same port', async () => {
    await using registry = await begin()
    const [at] = registry.targets
    await using server = await serve([math], {
      port: 0,
      registry: registryTarget(registry),
      logger: silentLogger,
    })
    await server.registered
    const { port } = hostAndPort(server.targets[0])
    const found = await ask(at, '/myRegistry/findAllInstances?proto=json')
    const [{ parameters, ...where }, ...others] = JSON.parse(found.body)
    assert.deepEqual(
      [where, others],
      [{ protocol: 'json', host: '127.0.0.1', port: Number(port), status: true }, []],
    )
    assert.deepEqual([parameters.id, parameters.services], [server.id, 'math'])
    for (const path of ['/_geerpc_/registry', '/_myrpc_/registry']) {
      const { status, headers, body } = await ask(at, path)
      assert.deepEqual([status, body], [200, ''])
      assert.equal(headers['x-geerpc-servers'], `tcp@127.0.0.1:${port}`)
      assert.equal(headers['x-myrpc-servers'], `tcp@127.0.0.1:${port}`)
    }
    const { pages } = JSON.parse((await ask(at, '/')).body)
    assert.ok(pages.includes('/_geerpc_/registry'))
    const nothing = await ask(at, '/myRegistry/nothing')
    assert.deepEqual([nothing.status, JSON.parse(nothing.body)], [404, { error: 'Not Found' }])
  })

  it('a client of ours calls a server that registered by header, with "every address" for its own', async () => {
    await using registry = await begin()
    await using server = await serve([foo], { port: 0, protocols: ['geerpc'], logger: silentLogger })
    const { port } = hostAndPort(server.targets[0])
    const headers = { 'X-Geerpc-Server': `tcp@[::]:${port}` }
    const posted = await ask(registry.targets[0], '/_geerpc_/registry', { method: 'POST', headers })
    assert.deepEqual([posted.status, posted.body], [200, ''])
    await using client = connect(registryTarget(registry), { logger: silentLogger })
    const remote = client.service<typeof foo>('Foo')
    assert.equal(await remote.Sum({ Num1: 1, Num2: 2 }), 3)
    const [one] = await client.endpoints('Foo')
    assert.equal(one?.endpoint, `geerpc+tcp://127.0.0.1:${port}`)
  })

  it('a client of ours watches who comes by any of them, and goes', async () => {
    await using registry = await begin()
    const [at] = registry.targets
    await using client = connect(registryTarget(registry), { logger: silentLogger })
    await using server = await serve([math], { port: 0, logger: silentLogger })
    const waiting = client.service<Add>('').add(1, 2)
    const body = instanceAt(server.targets[0])
    await ask(at, '/myRegistry/register', { method: 'POST', body })
    assert.equal(await waiting, 13)
    const gone = await ask(at, '/myRegistry/unregister', { method: 'POST', body })
    assert.equal(JSON.parse(gone.body).status, false)
    assert.equal(registry.registry.store.size, 0)
  })

  it('the protobuf registry is a service that the protocol calls', async () => {
    await using registry = await begin()
    await using client = connect(registry.targets[0] as string, { logger: silentLogger })
    const lab = client.service<{
      register(request: object): void
      discover(request: object): unknown
      heartbeat(request: object): boolean
    }>('farcall.registry.lab')
    assert.equal(await lab.heartbeat({ host: '0.0.0.0', port: 50_000 }), false)
    await lab.register({ service: 'add', host: '0.0.0.0', port: 50_000 })
    assert.deepEqual(await lab.discover({ service: 'add' }), [{ host: '127.0.0.1', port: 50_000 }])
    assert.equal(await lab.heartbeat({ host: '0.0.0.0', port: 50_000 }), true)
    assert.deepEqual(await lab.discover({ service: 'sub' }), [])
  })

  it('take what old programs send: HTTP/1.0, no Host, no content type, or another', async () => {
    await using registry = await begin()
    const [at] = registry.targets
    const body = instanceAt('tcp://10.0.0.5:1')
    const head = `POST /myRegistry/register HTTP/1.0\r\nContent-Length: ${body.length}\r\n`
    assert.match(await raw(at, `${head}\r\n${body}`), /^HTTP\/1\.1 200 OK\r\n[^]*"status": true/)
    assert.match(
      await raw(at, `${head}Content-Type: application/x-www-form-urlencoded\r\n\r\n${body}`),
      /^HTTP\/1\.1 200 /,
    )
    assert.match(
      await raw(at, 'POST /_geerpc_/registry HTTP/1.0\r\nx-GEERPC-server: tcp@10.0.0.5:2\r\n\r\n'),
      /^HTTP\/1\.1 200 /,
    )
    assert.equal(registry.registry.store.size, 2)
  })

  it('take nothing from the page of a browser', async () => {
    await using registry = await begin()
    const [at] = registry.targets
    const { port } = hostAndPort(at)
    const write = (headers: Readonly<Record<string, string>>) => [
      ask(at, '/myRegistry/register', {
        method: 'POST',
        headers: { 'content-type': 'text/plain', ...headers },
        body: instanceAt('tcp://10.0.0.5:1'),
      }),
      ask(at, '/_geerpc_/registry', {
        method: 'POST',
        headers: { 'x-geerpc-server': 'tcp@10.0.0.5:1', ...headers },
      }),
    ]
    const statuses = async (headers: Readonly<Record<string, string>>) =>
      (await Promise.all(write(headers))).map(({ status }) => status)
    assert.deepEqual(await statuses({ origin: 'https://evil.example' }), [403, 403])
    assert.deepEqual(await statuses({ origin: 'null' }), [403, 403])
    assert.deepEqual(await statuses({ 'sec-fetch-site': 'cross-site' }), [403, 403])
    assert.deepEqual(await statuses({ host: 'evil.example' }), [421, 421])
    assert.equal(registry.registry.store.size, 0)
    assert.deepEqual(await statuses({ host: `registry:${port}` }), [200, 200])
  })

  it('let nobody write who is not on the list', async () => {
    await using registry = await begin({ faces: { allow: ['10.0.0.0/8'] } })
    const [at] = registry.targets
    const refused = await ask(at, '/myRegistry/register', {
      method: 'POST',
      body: instanceAt('tcp://10.0.0.5:1'),
    })
    assert.equal(refused.status, 403)
    assert.match(JSON.parse(refused.body).error, /127\.0\.0\.1 may not register here .* faces: \{ allow:/)
    const headers = { 'x-myrpc-server': 'tcp@10.0.0.5:1' }
    assert.equal((await ask(at, '/_myrpc_/registry', { method: 'POST', headers })).status, 403)
    await using client = connect(at as string, { logger: silentLogger })
    const lab = client.service<{ register(request: object): void }>('farcall.registry.lab')
    const registering = lab.register({ service: 'add', host: '10.0.0.5', port: 1 })
    await assert.rejects(async () => registering, { code: 'permission_denied' })
    assert.equal(registry.registry.store.size, 0)
  })

  it('are not there where they are switched off, and an option that makes no sense is an error', async () => {
    await using registry = await begin({ faces: false })
    for (const path of ['/myRegistry/findAllInstances?proto=json', '/_geerpc_/registry']) {
      assert.equal((await ask(registry.targets[0], path)).status, 404)
    }
    const nonsense = startRegistry({ port: 0, faces: { allow: ['everybody'] } })
    await assert.rejects(nonsense, {
      code: 'invalid_argument',
      message: /faces\.allow: 'everybody' is no range/,
    })
  })

  it('list thousands of servers', async () => {
    await using registry = await begin()
    const [at] = registry.targets
    const headers = (port: number) => ({ 'x-geerpc-server': `tcp@10.0.0.5:${port}` })
    for (let port = 1; port <= 1_000; port += 20) {
      const some = Array.from({ length: 20 }, (_, i) =>
        ask(at, '/_geerpc_/registry', { method: 'POST', headers: headers(port + i) }),
      )
      for (const { status } of await Promise.all(some)) assert.equal(status, 200)
    }
    const list = await ask(at, '/_geerpc_/registry')
    assert.equal(String(list.headers['x-geerpc-servers']).split(',').length, 1_000)
    const found = await ask(at, '/myRegistry/findAllInstances?proto=geerpc')
    assert.equal(JSON.parse(found.body).length, 1_000)
  })

  it('are those of `farcall registry`, too', async () => {
    await using program = await startProgram()
    const at = program.target.replace('registry:', 'tcp:')
    const posted = await ask(at, '/myRegistry/register', {
      method: 'POST',
      body: instanceAt('tcp://10.0.0.5:1'),
    })
    assert.equal(posted.status, 200)
    const headers = { 'x-myrpc-server': 'tcp@10.0.0.5:2' }
    assert.equal((await ask(at, '/_geerpc_/registry', { method: 'POST', headers })).status, 200)
    await program.line(/registered header:geerpc\+tcp:\/\/10\.0\.0\.5:2/)
  })
})
