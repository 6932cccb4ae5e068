import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http'
import { connect as netConnect } from 'node:net'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import {
  connect as farcallConnect,
  createFarcall,
  currentCall,
  requireToken,
  RpcError,
  type Server,
  service,
} from 'farcall'
import { nodeParts } from '../src/node.ts'
import { createHttpProtocol } from '../src/protocols/http/index.ts'
import { createDebugRoutes } from '../src/server/debug/index.ts'
import { processView } from '../src/server/debug/process-view.node.ts'

// HTTP on a real port, beside the other protocols, spoken by programs that know nothing of Farcall.

const run = promisify(execFile)
const noCurl = await run('curl', ['--version']).then(
  () => false,
  () => 'curl is not installed',
)
const json = { 'content-type': 'application/json' }

const math = service('math', {
  add: (a: number, b: number, c = 10) => a + b + c,
  divide(a: number, b: number) {
    if (b === 0) throw new RpcError('invalid_argument', 'division by zero')
    return a / b
  },
  echo: (value: unknown) => value,
  async *count(upTo: number) {
    for (let i = 1; i <= upTo; i++) yield i
  },
  whoAmI: () => Object.fromEntries(currentCall()?.metadata ?? []),
  wait: () =>
    new Promise((resolve) =>
      currentCall()?.onCancel((reason) => (cancelled(reason.code), resolve(undefined))),
    ),
})
let cancelled: (code: string) => void = () => {}

type Options = NonNullable<Parameters<ReturnType<typeof createFarcall>['serve']>[1]>

async function start(options: Options = {}) {
  const made: { server?: Server } = {}
  const routes = createDebugRoutes({ server: () => made.server, readProcess: processView })
  const parts = {
    ...nodeParts,
    protocols: [...nodeParts.protocols.filter(({ name }) => name !== 'http'), createHttpProtocol({ routes })],
  }
  const farcall = createFarcall(parts)
  const server = await farcall.serve([math], { port: 0, ...options })
  made.server = server
  const target = server.targets[0] as string
  return {
    server,
    farcall,
    target,
    host: target.slice('tcp://'.length),
    url: target.replace('tcp:', 'http:'),
    [Symbol.asyncDispose]: () => server.close({ graceMs: 0 }),
  }
}

describe('curl', { skip: noCurl }, () => {
  const curl = async (...args: string[]) => (await run('curl', ['-sS', '--max-time', '10', ...args])).stdout
  const type = ['-H', 'content-type: application/json']

  it('calls', async () => {
    await using s = await start()
    assert.equal(await curl(`${s.url}/math/add`, ...type, '-d', '[1, 2]'), '13\n')
    assert.equal(await curl(`${s.url}/math.add`, ...type, '-d', '{"a": 1, "b": 2, "c": 3}'), '6\n')
    assert.equal(await curl('--http1.0', `${s.url}/math/add`, ...type, '-d', '[1, 2]'), '13\n')
    assert.equal(await curl(`${s.url}/math/count`, ...type, '-d', '[3]'), '1\n2\n3\n')
    const error = await curl('-w', '%{http_code}', `${s.url}/math/divide`, ...type, '-d', '[1, 0]')
    assert.equal(error, '{"code":"invalid_argument","message":"division by zero"}\n400')
  })

  it('learns from what it did wrong', async () => {
    await using s = await start()
    const wrong = JSON.parse(await curl(`${s.url}/math/add`, '-d', '[1, 2]')) as { message: string }
    const line = wrong.message.slice(wrong.message.indexOf('curl '))
    assert.equal((await run('sh', ['-c', `${line} -sS`])).stdout, '13\n')
    const listing = JSON.parse(await curl(`${s.url}/`)) as { call: string; pages: string[]; services: object }
    assert.ok(listing.pages.includes('/debug/farcall'))
    assert.deepEqual(Object.keys(listing.services), ['math'])
  })

  it('sends a large body, in chunks, asking first', async () => {
    await using s = await start()
    const body = JSON.stringify(['x'.repeat(3_000_000)])
    const child = run(
      'curl',
      [
        '-sS',
        `${s.url}/math/echo`,
        ...type,
        '-H',
        'Transfer-Encoding: chunked',
        '-H',
        'Expect: 100-continue',
        '--data-binary',
        '@-',
      ],
      { maxBuffer: 10_000_000 },
    )
    child.child.stdin?.end(body)
    assert.equal((await child).stdout.length, 3_000_003)
  })
})

describe('fetch and node:http', () => {
  it('call, also many at once', async () => {
    await using s = await start()
    const calls = Array.from({ length: 50 }, async (_, i) => {
      const answer = await fetch(`${s.url}/math/add`, {
        method: 'POST',
        headers: json,
        body: JSON.stringify([i, 1]),
      })
      return answer.json()
    })
    assert.deepEqual(
      await Promise.all(calls),
      Array.from({ length: 50 }, (_, i) => i + 11),
    )
  })

  it('read a stream as it comes', async () => {
    await using s = await start()
    const answer = await fetch(`${s.url}/math/count`, { method: 'POST', headers: json, body: '[100000]' })
    assert.equal(answer.headers.get('content-type'), 'application/x-ndjson')
    const lines = (await answer.text()).trimEnd().split('\n')
    assert.equal(lines.length, 100_000)
  })

  it('keep their connection', async () => {
    await using s = await start()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number | undefined>()
    for (let i = 0; i < 5; i++) {
      const request = httpRequest(`${s.url}/math/add`, { method: 'POST', headers: json, agent })
      request.end('[1, 2]')
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      ports.add(response.socket.localPort)
      let body = ''
      for await (const chunk of response) body += String(chunk)
      assert.equal(body, '13\n')
    }
    agent.destroy()
    assert.equal(ports.size, 1)
  })

  it('cancel what they do not wait for', async () => {
    await using s = await start()
    const seen = new Promise<string>((resolve) => (cancelled = resolve))
    const stop = new AbortController()
    const asked = fetch(`${s.url}/math/wait`, {
      method: 'POST',
      headers: json,
      body: '[]',
      signal: stop.signal,
    })
    while (s.server.stats().inFlight === 0) await new Promise((resolve) => setImmediate(resolve))
    stop.abort()
    await assert.rejects(asked)
    assert.equal(await seen, 'cancelled')
  })

  it('see the pages', async () => {
    await using s = await start()
    await fetch(`${s.url}/math/add`, { method: 'POST', headers: json, body: '[1, 2]' })
    const report = (await (await fetch(`${s.url}/debug/geerpc?format=json`)).json()) as any
    const add = report.services[0].methods[0]
    assert.equal(add.signature, 'add(a, b, c=10)')
    assert.equal(add.stats.calls, 1)
    assert.equal(report.sessions.http >= 1, true)
    assert.ok(report.process.residentBytes > 1e6)
    assert.match(await (await fetch(`${s.url}/debug/farcall`)).text(), /<title>Farcall/)
    assert.match(
      await (await fetch(`${s.url}/metrics`)).text(),
      /farcall_calls_total\{service="math",method="add"\} 1\n/,
    )
    assert.equal((await fetch(`${s.url}/readyz`)).status, 200)
    assert.equal((await fetch(`${s.url}/healthz`)).status, 200)
  })

  it('readyz says that the server drains, to who had begun to ask', async () => {
    await using s = await start()
    const [name, port] = s.host.split(':')
    const socket = netConnect(Number(port), name)
    socket.write('GET /readyz HTTP/1.1\r\n')
    while (s.server.stats().sessions['http'] !== 1) await new Promise((resolve) => setImmediate(resolve))
    const closing = s.server.close({ graceMs: 5000 })
    socket.write(`host: ${s.host}\r\n\r\n`)
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    assert.match(answer, /^HTTP\/1\.1 503 [^]*"state":"draining"/)
    await closing
  })
})

describe('Farcall over HTTP', () => {
  it('calls, streams and fails as over its own protocol, and the pool calls at once', async () => {
    await using s = await start()
    await using client = s.farcall.connect(`http+tcp://${s.host}`)
    const m = client.service<typeof math>('math')
    assert.equal(await m.add(1, 2), 13)
    assert.equal(await m.$named.add({ a: 1, b: 2 }), 13)
    assert.deepEqual(await m.echo({ at: new Date(0), big: 1n }), { at: new Date(0), big: 1n })
    const items: number[] = []
    for await (const item of m.count(1000)) items.push(item)
    assert.equal(items.length, 1000)
    await assert.rejects(m.divide(1, 0), { code: 'invalid_argument', message: 'division by zero' })
    assert.deepEqual(await m.$with({ metadata: { tenant: 'ü' } }).whoAmI(), { tenant: 'ü' })
    await assert.rejects(m.$with({ timeoutMs: 50 }).wait(), { code: 'deadline_exceeded' })
    const many = await Promise.all(Array.from({ length: 200 }, (_, i) => m.add(i, 0, 0)))
    assert.deepEqual(
      many,
      Array.from({ length: 200 }, (_, i) => i),
    )
  })

  it('a token travels as the usual field', async () => {
    await using s = await start({ layers: [requireToken({ token: 'abc' })] })
    const call = (headers: Record<string, string>) =>
      fetch(`${s.url}/math/add`, { method: 'POST', headers: { ...json, ...headers }, body: '[1, 2]' })
    const refused = await call({})
    assert.equal(refused.status, 401)
    assert.equal(refused.headers.get('www-authenticate'), 'Bearer')
    assert.equal((await call({ authorization: 'Bearer abc' })).status, 200)
    const listing = (await (await fetch(`${s.url}/`)).json()) as any
    assert.deepEqual(listing.services, {})
  })

  it('shares the port with the other protocols', async () => {
    await using s = await start()
    await using client = farcallConnect(s.target)
    const [ours, theirs] = await Promise.all([
      client.service<typeof math>('math').add(1, 2),
      fetch(`${s.url}/math/add`, { method: 'POST', headers: json, body: '[1, 2]' }).then((answer) =>
        answer.json(),
      ),
    ])
    assert.deepEqual([ours, theirs], [13, 13])
  })
})

describe('hostile peers', () => {
  const send = async (host: string, text: string) => {
    const [name, port] = host.split(':')
    const socket = netConnect(Number(port), name)
    socket.write(text)
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    return answer
  }

  it('get one clear answer, and others do not notice', async () => {
    await using s = await start()
    const head = `POST /math/add HTTP/1.1\r\nhost: ${s.host}\r\ncontent-type: application/json\r\n`
    const both = `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n`
    const attacks = [
      both,
      `${head}content-length: 1\r\ncontent-length: 2\r\n\r\n`,
      `GET /${'x'.repeat(30_000)} HTTP/1.1\r\n\r\n`,
      `${head}content-length: 99999999\r\n\r\n`,
      `${head}${'a: b\r\n'.repeat(5000)}`,
    ]
    const answers = await Promise.all(attacks.map((text) => send(s.host, text)))
    assert.deepEqual(
      answers.map((answer) => answer.slice(9, 12)),
      ['400', '400', '414', '413', '431'],
    )
    for (const answer of answers) assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1)
    const fine = await fetch(`${s.url}/math/add`, { method: 'POST', headers: json, body: '[1, 2]' })
    assert.equal(await fine.json(), 13)
  })

  it('under another name get nothing: a page that was made to point here', async () => {
    await using s = await start()
    const [, port] = s.host.split(':')
    for (const path of ['/', '/debug/farcall?format=json', '/metrics']) {
      const answer = await send(
        s.host,
        `GET ${path} HTTP/1.1\r\nhost: evil.test:${port}\r\nconnection: close\r\n\r\n`,
      )
      assert.match(answer, /^HTTP\/1\.1 421 /)
      assert.doesNotMatch(answer, /math/)
    }
    const health = await send(s.host, `GET /healthz HTTP/1.1\r\nhost: evil.test\r\nconnection: close\r\n\r\n`)
    assert.match(health, /^HTTP\/1\.1 200 /)
  })
})
