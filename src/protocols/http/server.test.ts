import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { metaService } from '../../core/describe.ts'
import { RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import { seededRandom } from '../../core/random.ts'
import { createRouter } from '../../core/router.ts'
import { service } from '../../core/service.ts'
import type { HttpRoute } from '../http-route.ts'
import { serveScript } from '../json-head/session-rig.suite.ts'
import { createHttpProtocol, type HttpOptions } from './index.ts'

const math = service('math', {
  add: (a: number, b: number, c = 10) => a + b + c,
  double: (n: number) => n * 2,
  whole: (options: { a: number }) => options.a,
  divide(a: number, b: number) {
    if (b === 0)
      throw new RpcError('invalid_argument', 'division by zero', { reason: 'zero', details: { a } })
    return a / b
  },
  crash() {
    throw new TypeError('secret')
  },
  nothing: () => undefined,
  slow: () => new Promise(() => {}),
  async *count(n: number) {
    for (let i = 1; i <= n; i++) yield i
  },
  show: (...args: unknown[]) => args,
})

function routerHandler(): Handler {
  const router = createRouter({ random: seededRandom(1), onInternalError: () => {} })
  router.add(math)
  router.add(metaService({ services: router.services }))
  return router.handler
}

const serve = (options: HttpOptions = {}, limits = {}) =>
  serveScript(createHttpProtocol(options), routerHandler(), limits)

const request = (line: string, fields: Record<string, string> = {}, body = '') => {
  const all = { host: 'localhost', ...(body !== '' && { 'content-length': String(body.length) }), ...fields }
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${line} HTTP/1.1\r\n${head.join('')}\r\n${body}`
}
const json = { 'content-type': 'application/json' }
const post = (path: string, body: string, fields: Record<string, string> = {}) =>
  request(`POST ${path}`, { ...json, ...fields }, body)

const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4)
const statusOf = (answer: string) => Number(answer.slice(9, 12))

describe('http server: calls', () => {
  const rows: [name: string, path: string, body: string, status: number, answer: string | RegExp][] = [
    ['by position', '/math/add', '[1,2]', 200, '13\n'],
    ['with a dot', '/math.add', '[1,2,3]', 200, '6\n'],
    ['a bare name', '/add', '[1,2]', 200, '13\n'],
    ['spread by name', '/math/add', '{"a":1,"b":2}', 200, '13\n'],
    ['one value', '/math/double', '4', 200, '8\n'],
    ['an object for the only parameter', '/math/whole', '{"a":5}', 200, '5\n'],
    ['percent-encoded', '/%6Dath/a%64d', '[1,2]', 200, '13\n'],
    ['nothing comes back', '/math/nothing', '[]', 204, ''],
    ['no service', '/nope/add', '[]', 404, /"code":"not_found".*this server has: math/],
    ['no method', '/math/ad', '[]', 404, /did you mean add/],
    ['bad arguments', '/math/add', '[1]', 400, /"invalid_argument".*missing argument 'b'/],
    ['too many', '/math/add', '[1,2,3,4]', 400, /takes at most 3/],
    ['no JSON', '/math/add', '[1,', 400, /no valid JSON/],
    ['an unknown tag', '/math/show', '[{"$nope":1}]', 400, /tag .* is not known/],
    ['nested too deep', '/math/show', '['.repeat(100) + ']'.repeat(100), 429, /nested deeper/],
    [
      'a failure that was meant',
      '/math/divide',
      '[1,0]',
      400,
      '{"code":"invalid_argument","message":"division by zero","reason":"zero","details":{"a":1}}\n',
    ],
    [
      'a failure that was not',
      '/math/crash',
      '[]',
      500,
      /^\{"code":"internal","message":"internal error \(id [0-9a-f]+\)"\}\n$/,
    ],
    ['a name that every object has', '/math/constructor', '[]', 404, /no method/],
    ['the same as a service', '/__proto__/toString', '[]', 404, /unknown service/],
  ]
  for (const [name, path, body, status, answer] of rows) {
    it(`${name}: ${status}`, async () => {
      const rig = await serve()
      const got = await rig.ask(post(path, body))
      assert.equal(statusOf(got), status, got)
      if (typeof answer === 'string') assert.equal(bodyOf(got), answer)
      else assert.match(bodyOf(got), answer)
    })
  }

  it('by name to a method with one parameter, if the request says so', async () => {
    const rig = await serve()
    assert.equal(
      bodyOf(await rig.ask(post('/math/double', '{"n":4}', { 'farcall-arguments': 'named' }))),
      '8\n',
    )
  })

  it('other types than JSON get the line that works', async () => {
    const rig = await serve()
    const types: (Record<string, string> | undefined)[] = [
      undefined,
      { 'content-type': 'application/x-www-form-urlencoded' },
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/json; charset=latin1' },
      { 'content-type': 'multipart/form-data; boundary=x' },
    ]
    for (const type of types) {
      const got = await rig.ask(request('POST /math/add', type, '[1,2]'))
      assert.equal(statusOf(got), 415)
      assert.match(
        got,
        /curl http:\/\/localhost\/math\/add -H 'content-type: application\/json' -d '\[1,2\]'/,
      )
    }
    const fine = await rig.ask(
      request('POST /math/add', { 'content-type': 'Application/JSON; charset="UTF-8"' }, '[1,2]'),
    )
    assert.equal(statusOf(fine), 200)
  })

  it('a stream is lines, and its failure the last of them', async () => {
    const rig = await serve()
    const got = await rig.ask(post('/math/count', '2'))
    assert.match(got, /content-type: application\/x-ndjson\r\n/)
    assert.equal(bodyOf(got), '2\r\n1\n\r\n2\r\n2\n\r\n0\r\n\r\n')
    const old = await rig.ask(post('/math/count', '2').replace('HTTP/1.1', 'HTTP/1.0'))
    assert.equal(bodyOf(old), '1\n2\n')
    assert.match(old, /connection: close/)
  })

  it('bad fields are said', async () => {
    const rows: Record<string, string>[] = [
      { 'farcall-timeout-ms': 'soon' },
      { 'farcall-attempt': '-1' },
      { 'farcall-oneway': 'yes' },
      { 'farcall-arguments': 'x' },
      { 'farcall-meta-': 'x' },
      { 'farcall-meta-a b': 'x' },
      { 'farcall-meta-authorization': 'x' },
      { 'farcall-meta-a': 'ü' },
    ]
    for (const fields of rows) {
      const rig = await serve()
      assert.equal(statusOf(await rig.ask(post('/math/add', '[1,2]', fields))), 400, JSON.stringify(fields))
    }
    const rig = await serve({}, { maxMetadataBytes: 20 })
    assert.equal(
      statusOf(await rig.ask(post('/math/add', '[1,2]', { 'farcall-meta-a': 'x'.repeat(30) }))),
      429,
    )
  })
})

describe('http server: paths that could mean two things', () => {
  const paths = [
    'math/add',
    '//math/add',
    '/math//add',
    '/math/add/',
    '/math%2Fadd',
    '/math%5Cadd',
    '/math\\add',
    '/math/..%2fadd',
    '/../math/add',
    '/math/./add',
    '/math/add%00',
    '/math/%ff',
    '/math/%zz',
    '/math/add#x',
    'http://localhost/math/add',
  ]
  for (const path of paths) {
    it(`${path}: 400, and nothing is called`, async () => {
      let asked = 0
      const route: HttpRoute = () => {
        asked++
        return undefined
      }
      const rig = await serve({ routes: [Object.assign(route, { open: true })] })
      assert.equal(statusOf(await rig.ask(post(path, '[1,2]'))), 400)
      assert.equal(asked, 0)
    })
  }

  it('capitals are other names', async () => {
    const rig = await serve()
    assert.equal(statusOf(await rig.ask(post('/Math/add', '[1,2]'))), 404)
  })
})

describe('http server: whose pages may call', () => {
  const rows: [name: string, options: HttpOptions, fields: Record<string, string>, status: number][] = [
    ['no origin', {}, {}, 200],
    ['its own page', {}, { host: 'localhost:8089', origin: 'http://localhost:8089' }, 200],
    ['another port', {}, { host: 'localhost:8089', origin: 'http://localhost:3000' }, 403],
    ['another page', {}, { origin: 'http://evil.test' }, 403],
    ['a page without an origin', {}, { origin: 'null' }, 403],
    ['https of the same', {}, { origin: 'https://localhost' }, 403],
    ['one that is allowed', { origins: ['https://app.example'] }, { origin: 'https://app.example' }, 200],
    ['any', { origins: ['*'] }, { origin: 'http://evil.test' }, 200],
    ['an image of another page', {}, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
    ['a link of another page', {}, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 200],
  ]
  for (const [name, options, fields, status] of rows) {
    it(`${name}: ${status}`, async () => {
      const rig = await serve(options)
      const got = await rig.ask(post('/math/add', '[1,2]', fields))
      assert.equal(statusOf(got), status)
      const shares = options.origins !== undefined
      assert.equal(/access-control-allow-origin/.test(got), shares)
    })
  }

  it('a browser that asks first is told', async () => {
    const rig = await serve({ origins: ['https://app.example'] })
    const ask = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,farcall-timeout-ms',
    }
    const got = await rig.ask(request('OPTIONS /math/add', { origin: 'https://app.example', ...ask }))
    assert.equal(statusOf(got), 204)
    assert.match(got, /access-control-allow-origin: https:\/\/app\.example\r\n/)
    assert.match(got, /access-control-allow-headers: content-type,farcall-timeout-ms\r\n/)
    assert.equal(
      statusOf(await rig.ask(request('OPTIONS /math/add', { origin: 'http://evil.test', ...ask }))),
      403,
    )
  })

  it('options that are none are refused', () => {
    for (const host of ['a b', 'http://x', 'x/y', ''])
      assert.throws(() => createHttpProtocol({ hosts: [host] }), /is no host/)
    for (const origin of ['app.example', 'ftp://x', 'https://x/y'])
      assert.throws(() => createHttpProtocol({ origins: [origin] }), /is no origin/)
  })
})

describe('http server: connections', () => {
  it('answers requests that come together in their order', async () => {
    const rig = await serve()
    const got = await rig.ask(
      post('/math/double', '1') +
        post('/math/count', '1') +
        post('/math/double', '3') +
        request('GET /math/double'),
    )
    assert.deepEqual(got.match(/HTTP\/1\.1 \d+/g), [
      'HTTP/1.1 200',
      'HTTP/1.1 200',
      'HTTP/1.1 200',
      'HTTP/1.1 404',
    ])
    assert.match(got, /^[^]*\r\n\r\n2\n[^]*\r\n\r\n2\r\n1\n\r\n0\r\n\r\n[^]*\r\n\r\n6\n/)
    assert.equal(rig.session.state, 'ready')
  })

  it('asks for a body that waits to be asked for; not where it is refused', async () => {
    const rig = await serve()
    const waiting = post('/math/double', '4', { expect: '100-continue' })
    assert.equal(await rig.ask(waiting.slice(0, -1)), 'HTTP/1.1 100 Continue\r\n\r\n')
    assert.equal(bodyOf(await rig.ask('4')), '8\n')
    const refused = await rig.ask(
      post('/math/double', '4', { expect: '100-continue', origin: 'http://evil.test' }).slice(0, -1),
    )
    assert.equal(statusOf(refused), 403)
    assert.match(refused, /connection: close/)
  })

  it('ends after an answer if the client wishes, and with HTTP/1.0', async () => {
    for (const text of [
      post('/math/double', '1', { connection: 'close' }),
      post('/math/double', '1').replace('HTTP/1.1', 'HTTP/1.0'),
    ]) {
      const rig = await serve()
      assert.match(await rig.ask(text), /connection: close\r\n/)
      assert.equal(rig.peer.hasEnded, true)
    }
    const rig = await serve()
    const kept = post('/math/double', '1', { connection: 'keep-alive' }).replace('HTTP/1.1', 'HTTP/1.0')
    assert.match(await rig.ask(kept), /connection: keep-alive\r\n/)
    assert.equal(rig.peer.hasEnded, false)
  })

  it('takes nothing more after a request that is none, and says why', async () => {
    const rig = await serve()
    const got = await rig.ask(
      `${post('/math/double', '1')}POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n${post('/math/double', '2')}`,
    )
    assert.deepEqual(got.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 400'])
    assert.match(got, /both content-length and transfer-encoding/)
    assert.equal(rig.peer.hasEnded, true)
    assert.equal(rig.reports.length, 1)
  })

  it('a body that is too long is refused before it comes, or as it does', async () => {
    const rig = await serve({}, { maxMessageBytes: 1000 })
    const told = await rig.ask(post('/math/show', '').replace('\r\n\r\n', '\r\ncontent-length: 1001\r\n\r\n'))
    assert.equal(statusOf(told), 413)
    const second = await serve({}, { maxMessageBytes: 1000 })
    const chunked = await second.ask(
      post('/math/show', '', { 'transfer-encoding': 'chunked' }) + `400\r\n${'x'.repeat(1024)}\r\n`,
    )
    assert.equal(statusOf(chunked), 413)
  })

  it('a head that takes too long, or a body that trickles, is given up', async () => {
    const rig = await serve()
    await rig.ask('GET / HTTP/1.1\r\nhos')
    await rig.clock.advance(4_900)
    assert.equal(await rig.ask('t'), '')
    await rig.clock.advance(200)
    assert.equal(statusOf(await rig.rest()), 408)

    const slow = await serve()
    await slow.ask(post('/math/show', 'x'.repeat(100_000)).slice(0, -99_999))
    for (let i = 0; i < 9; i++) {
      await slow.clock.advance(1000)
      assert.equal(await slow.ask('xx'), '')
    }
    await slow.clock.advance(1200)
    assert.equal(statusOf(await slow.rest()), 408)
  })

  it('a body that came fast and stops is given up', async () => {
    const rig = await serve()
    await rig.ask(post('/math/show', 'x'.repeat(3_000_000)).slice(0, -1))
    await rig.clock.advance(29_900)
    assert.equal(await rig.ask(''), '')
    await rig.clock.advance(200)
    assert.equal(statusOf(await rig.rest()), 408)
  })

  it('a body that comes at a fair speed is waited for', async () => {
    const rig = await serve()
    const all = post('/math/show', JSON.stringify(['x'.repeat(60_000)]))
    for (let at = 0; at < all.length; at += 2000) {
      await rig.clock.advance(1000)
      const got = await rig.ask(all.slice(at, at + 2000))
      if (at + 2000 >= all.length) assert.equal(statusOf(got), 200)
    }
  })

  it('an idle connection is ended after a long time, one that was never used as well', async () => {
    const rig = await serve()
    await rig.ask(post('/math/double', '1'))
    await rig.clock.advance(299_000)
    assert.equal(rig.peer.hasEnded, false)
    await rig.clock.advance(3_000)
    assert.equal(rig.session.state, 'closed')
    assert.equal(rig.clock.timers, 0)
  })

  it('who leaves has its call cancelled', async () => {
    const rig = await serve()
    await rig.ask(post('/math/slow', '[]'))
    assert.equal(rig.session.inFlight, 1)
    rig.peer.wire.end()
    await rig.clock.advance(2000)
    assert.equal(rig.session.inFlight, 0)
    assert.equal(rig.session.state, 'closed')
  })

  it('who leaves behind its last request gets the answer', async () => {
    const rig = await serve()
    rig.peer.send(post('/math/double', '4'))
    rig.peer.wire.end()
    assert.equal(bodyOf(await rig.rest()), '8\n')
  })

  it('handlers whose callers are gone are bounded', async () => {
    const rig = await serve({}, { maxCalls: 3 })
    for (let i = 0; i < 3; i++) {
      await rig.ask(post('/math/slow', '[]', { 'farcall-timeout-ms': '10' }))
      await rig.clock.advance(20)
      assert.equal(statusOf(await rig.ask('')), 504)
    }
    assert.equal(statusOf(await rig.ask(post('/math/slow', '[]'))), 429)
  })

  it('draining ends an idle connection, and answers the request that it was opened for', async () => {
    const idle = await serve()
    await idle.ask(post('/math/double', '1'))
    idle.session.drain()
    await idle.clock.settle()
    assert.equal(idle.peer.hasEnded, true)

    const fresh = await serve()
    fresh.session.drain()
    const got = await fresh.ask(post('/math/double', '1'))
    assert.equal(statusOf(got), 503)
    assert.match(got, /farcall-not-executed: true\r\n[^]*connection: close/)
    assert.equal(fresh.peer.hasEnded, true)
  })
})

describe('http server: routes', () => {
  it('are asked first, in their order, with all of the request', async () => {
    const seen: string[] = []
    const first: HttpRoute = ({ path, method, query, body }) => {
      seen.push(`${method} ${path} ${query.get('q')} ${new TextDecoder().decode(body)}`)
      return path === '/a'
        ? { status: 200, headers: { 'content-type': 'text/plain' }, body: 'from a' }
        : undefined
    }
    const second: HttpRoute = async () => ({ status: 404, body: new Uint8Array([0x78]) })
    const rig = await serve({
      routes: [first, (request, handler) => (request.path === '/b' ? second(request, handler) : undefined)],
    })
    assert.equal(bodyOf(await rig.ask(request('GET /a?q=%201'))), 'from a')
    const got = await rig.ask(post('/b', 'xyz'))
    assert.equal(statusOf(got), 404)
    assert.equal(bodyOf(got), 'x')
    assert.deepEqual(seen, ['GET /a  1 ', 'POST /b null xyz'])
    const head = await rig.ask(request('HEAD /a'))
    assert.match(head, /content-length: 6\r\n/)
    assert.equal(bodyOf(head), '')
  })

  it('only open ones are for any host and origin', async () => {
    const closed: HttpRoute = ({ path }) => (path === '/closed' ? { status: 200 } : undefined)
    const open: HttpRoute = Object.assign(
      ({ path }: { path: string }) => (path === '/open' ? { status: 200 } : undefined),
      { open: true },
    )
    const rig = await serve({ routes: [closed, open] })
    const origin = 'http://evil.test'
    assert.equal(statusOf(await rig.ask(request('GET /open', { origin }))), 200)
    assert.equal(statusOf(await rig.ask(request('GET /closed', { origin }))), 403)
    assert.equal(statusOf(await rig.ask(request('GET /closed'))), 200)
  })

  it('that throw are answered, without what was not meant to be said', async () => {
    const rig = await serve({
      routes: [
        ({ path }) => {
          if (path === '/secret') throw new Error('secret')
          if (path === '/said') return Promise.reject(new RpcError('already_exists', 'said'))
          return path === '/bad' ? { status: 200, headers: { x: 'a\r\nb: c' } } : undefined
        },
      ],
    })
    assert.match(await rig.ask(request('GET /secret')), / 500 [^]*"internal error"/)
    assert.match(await rig.ask(request('GET /said')), / 409 [^]*"said"/)
    const bad = await rig.ask(request('GET /bad'))
    assert.equal(statusOf(bad), 500)
    assert.doesNotMatch(bad, /\nb: c/)
  })

  it('may answer in pieces, as fast as they are read, and end when the reader leaves', async () => {
    let made = 0
    let ended = false
    async function* pieces() {
      try {
        yield 'one'
        yield new Uint8Array([0x32])
        yield ''
        for (; ; made++) yield 'x'.repeat(100_000)
      } finally {
        ended = true
      }
    }
    const rig = await serve({
      routes: [({ path }) => (path === '/pieces' ? { status: 200, body: pieces() } : undefined)],
    })
    rig.peer.wire.pause()
    rig.peer.send(request('GET /pieces'))
    await rig.clock.settle()
    assert.ok(made > 0 && made < 20, `${made} pieces for a reader that does not read`)
    rig.peer.wire.close()
    await rig.clock.settle()
    assert.equal(rig.session.state, 'closed')
    assert.equal(ended, true)
  })

  it('what is nowhere lists what is there', async () => {
    const page: HttpRoute = Object.assign(() => undefined, { paths: ['/page'] })
    const rig = await serve({ routes: [page] })
    const root = await rig.ask(request('GET /'))
    assert.equal(statusOf(root), 200)
    const missing = await rig.ask(request('GET /a/b/c'))
    assert.equal(statusOf(missing), 404)
    const listed = JSON.parse(bodyOf(missing))
    assert.equal(listed.code, 'not_found')
    assert.ok(listed.services.math.includes('add(a, b, c=10)'))
    assert.deepEqual(listed.pages, ['/page'])
    assert.match(listed.call, /^curl http:\/\/localhost\/math\/add /)
    assert.equal(statusOf(await rig.ask(request('PUT /a/b/c', {}, 'x'))), 404)
    assert.equal(statusOf(await rig.ask(request('OPTIONS *'))), 204)
    assert.equal(statusOf(await rig.ask(request('GET *'))), 400)
  })
})
