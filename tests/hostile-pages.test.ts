// Who may see the pages of a server, who may write to a registry over HTTP, and what strangers can put into its answers.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  connect,
  type RegistryServer,
  serve,
  service,
  type ServeOptions,
  silentLogger,
  startRegistry,
} from 'farcall'
import { localAddresses } from '../src/server/local-addresses.node.ts'
import { rawSocket } from './support/raw-socket.ts'

const math = service('math', { add: (a: number, b: number) => a + b })
const begin = (options: ServeOptions = {}) =>
  serve([math], { host: '::', port: 0, logger: silentLogger, ...options })
const hostIn = (address: string) => (address.includes(':') ? `[${address}]` : address)
const at = (server: { targets: readonly string[] }, host: string) =>
  `tcp://${hostIn(host)}:${/\d+$/.exec(server.targets[0] ?? '')?.[0]}`

// An address of this machine that is not the one by which it knows itself: who dials it comes from it.
const [elsewhere] = localAddresses()
const skip = elsewhere === undefined ? 'this machine has only internal addresses' : false

async function ask(target: string, line: string, headers: Readonly<Record<string, string>> = {}, body = '') {
  using socket = await rawSocket(target)
  const all = {
    host: target.slice(6),
    connection: 'close',
    'content-length': String(body.length),
    ...headers,
  }
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  await socket.send(`${line} HTTP/1.1\r\n${fields.join('')}\r\n${body}`)
  const answer = await socket.gone
  const [head = ''] = answer.split('\r\n\r\n')
  return { status: Number(answer.slice(9, 12)), head, body: answer.slice(head.length + 4) }
}

const data = [
  '/debug/farcall?format=json',
  '/debug/geerpc?format=json',
  '/debug/myrpc?format=json',
  '/metrics',
]

describe('the pages of a server', () => {
  it('are not for other machines', { skip }, async () => {
    await using server = await begin()
    const target = at(server, elsewhere as string)
    for (const path of data) {
      const { status, body } = await ask(target, `GET ${path}`)
      assert.equal(status, 403, path)
      assert.match(body, /only programs on the server's own machine .* debugToken.*FARCALL_DEBUG_TOKEN/)
      assert.doesNotMatch(body, /math/)
    }
    // The page itself says nothing.
    const page = await ask(target, 'GET /debug/farcall')
    assert.equal(page.status, 200)
    assert.doesNotMatch(page.body, /math/)
    assert.equal((await ask(target, 'GET /healthz')).status, 200)
  })

  it('are for this one, by whichever of its own addresses', async () => {
    await using server = await begin()
    // The first reaches a socket of IPv6 as ::ffff:127.0.0.1.
    for (const host of ['127.0.0.1', '::1'])
      for (const path of data) assert.equal((await ask(at(server, host), `GET ${path}`)).status, 200, path)
  })

  it('are for who has the token, from anywhere, and then not even for this machine without', async () => {
    await using server = await begin({ http: { debugToken: 's3cret' } })
    for (const host of ['127.0.0.1', '::1', ...(elsewhere === undefined ? [] : [elsewhere])]) {
      const target = at(server, host)
      assert.equal((await ask(target, 'GET /metrics')).status, 401)
      assert.equal((await ask(target, 'GET /metrics', { authorization: 'Bearer s3cret ' })).status, 200)
      assert.equal((await ask(target, 'GET /metrics?token=s3cret')).status, 401)
    }
  })

  it('are seen under addresses and names without a dot alone', async () => {
    await using server = await begin({ http: { hosts: ['math.example', 'api.example:8089'] } })
    const target = at(server, '127.0.0.1')
    const by = async (host: string) => (await ask(target, 'GET /metrics', { host })).status
    for (const host of ['[::ffff:127.0.0.1]:1', '[::1]', '10.0.0.1:80', 'localhost', 'a.localhost:1', 'math'])
      assert.equal(await by(host), 200, host)
    for (const host of ['math.example', 'MATH.example:80', 'api.example:8089'])
      assert.equal(await by(host), 200, host)
    const rebound = ['evil.example', '127.0.0.1.evil.example', 'math.example.evil.test', 'api.example:80']
    for (const host of [...rebound, '127.0.0.1.', '127.1', '0x7f.0.0.1', 'localhost.'])
      assert.equal(await by(host), 421, host)
    for (const host of ['', 'a b', '[::1', '[::1]:x', 'math.example@evil', '::1', 'a,b', 'a/b', 'größe'])
      assert.equal(await by(host), 400, host)
  })
})

describe('the page of another site', () => {
  const writes: readonly (readonly [string, Readonly<Record<string, string>>, string?])[] = [
    ['/_geerpc_/registry', { 'x-geerpc-server': 'tcp@10.0.0.5:1' }],
    ['/_myrpc_/registry', { 'x-myrpc-server': 'tcp@10.0.0.5:1' }],
    ['/myRegistry/register', {}, '{"protocol":"json","host":"10.0.0.5","port":1}'],
    [
      '/farcall.registry/register',
      { 'content-type': 'application/json' },
      '[{"lease":{"id":"x","incarnation":1},"instances":[{"id":"x","incarnation":1,"services":[],"endpoints":["tcp://10.0.0.5:1"],"metadata":{}}]}]',
    ],
    [
      '/rpc',
      { 'content-type': 'application/json' },
      '{"jsonrpc":"2.0","id":1,"method":"farcall.registry.lab.register","params":[{"service":"add","host":"10.0.0.5","port":1}]}',
    ],
  ]

  it('can write nothing to a registry, by any of its faces, and is not told that it may try', async () => {
    await using registry = await startRegistry({ host: '::', port: 0, logger: silentLogger })
    const target = at(registry, '127.0.0.1')
    const { store } = registry.registry
    for (const [path, headers, body] of writes) {
      const from = (more: Readonly<Record<string, string>>) =>
        ask(target, `POST ${path}`, { ...headers, ...more }, body)
      const refused = await from({ origin: 'https://evil.example' })
      assert.equal(refused.status, 403, path)
      assert.doesNotMatch(refused.head, /access-control/)
      assert.equal((await from({ origin: 'null' })).status, 403, path)
      // Another port of the same machine is another site.
      assert.equal((await from({ origin: 'http://127.0.0.1:3000' })).status, 403, path)
      assert.equal((await from({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' })).status, 403)
      assert.equal((await from({ host: 'evil.example', origin: 'http://evil.example' })).status, 421, path)
      const preflight = await ask(target, `OPTIONS ${path}`, {
        origin: 'https://evil.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, x-geerpc-server',
      })
      assert.doesNotMatch(preflight.head, /access-control/)
      // What a form can send is not what a call takes.
      if (headers['content-type'] !== undefined)
        assert.equal((await from({ 'content-type': 'text/plain' })).status, 415, path)
    }
    assert.equal(store.size, 0)
    // As they are, they would have been taken.
    for (const [path, headers, body] of writes)
      assert.equal((await ask(target, `POST ${path}`, headers, body)).status, 200, path)
    assert.ok(store.size >= 4)
  })

  it('can write nothing from another machine either', { skip }, async () => {
    const faces = { allow: ['127.0.0.1'] }
    await using registry = await startRegistry({ host: '::', port: 0, faces, logger: silentLogger })
    const beat = async (host: string) => {
      const headers = { 'x-geerpc-server': 'tcp@10.0.0.5:1' }
      return (await ask(at(registry, host), 'POST /_geerpc_/registry', headers)).status
    }
    assert.equal(await beat('127.0.0.1'), 200)
    assert.equal(await beat('::1'), 403)
    assert.equal(await beat(elsewhere as string), 403)
  })
})

describe('what strangers register', () => {
  const texts = ['\r\nX-Evil: 1', '\n', ',tcp@evil:1', 'a b', '"', '\\', '</script>', '\u2028', '%0d%0a', 'é']

  /** Registers by our own protocol, which takes the most. */
  async function register(registry: RegistryServer, instance: object, id: string): Promise<boolean> {
    await using client = connect(at(registry, '127.0.0.1'), { logger: silentLogger })
    const asked = client.service<{ register(request: object): object }>('farcall.registry')
    const whole = { id, incarnation: 1, services: [], endpoints: ['geerpc+tcp://10.0.0.5:1'], metadata: {} }
    const request = { lease: { id, incarnation: 1 }, instances: [{ ...whole, ...instance }] }
    return await asked.register(request).then(
      () => true,
      () => false,
    )
  }

  it('cannot break out of the lists that others are told', async () => {
    await using registry = await startRegistry({ host: '::', port: 0, logger: silentLogger })
    let taken = 0
    for (const [i, text] of texts.entries()) {
      const hostile = [
        { endpoints: [`geerpc+tcp://${text}:1`] },
        { endpoints: [`geerpc+tcp://10.0.0.5${text}:1`] },
        { endpoints: [`geerpc+unix:/tmp/${text}`, `lab-json+tcp://10.0.0.6:${i + 1}`] },
        { endpoints: [`lab-json+tcp://10.0.0.7:${i + 1}`], metadata: { note: text, zone: `"}]${text}` } },
        { endpoints: [`lab-json+tcp://10.0.0.8:${i + 1}`], zone: text, services: [{ name: `s${text}` }] },
      ]
      for (const [j, instance] of hostile.entries())
        if (await register(registry, instance, `i${i}-${j}${text}`)) taken++
        else if (await register(registry, instance, `i${i}-${j}`)) taken++
    }
    assert.ok(taken > 0)
    const target = at(registry, '127.0.0.1')
    const list = await ask(target, 'GET /_geerpc_/registry')
    assert.equal(list.status, 200)
    assert.doesNotMatch(list.head, /^x-evil/im)
    for (const [, name = '', value = ''] of list.head.matchAll(/^(x-\w+-servers): (.*)$/gm))
      for (const one of value.split(',').filter((each) => each !== ''))
        assert.match(one, /^(tcp@[!-+\--?A-~]+:\d+|unix@\/[!-+\--?A-~]+)$/, name)
    assert.doesNotMatch(list.head, /evil:1/)
    const found = await ask(target, 'GET /myRegistry/findAllInstances?proto=json')
    const instances = JSON.parse(Buffer.from(found.body, 'latin1').toString()) as { host: string }[]
    assert.ok(instances.length > 0)
    for (const { host } of instances) assert.match(host, /^10\.0\.0\.[678]$/)
  })
})
