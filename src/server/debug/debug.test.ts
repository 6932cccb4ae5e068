import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Script } from 'node:vm'
import fc from 'fast-check'
import { metaService } from '../../core/describe.ts'
import { RpcError } from '../../core/error.ts'
import { method } from '../../core/method.ts'
import { service } from '../../core/service.ts'
import type { HttpRequest, HttpResponse } from '../../protocols/http-route.ts'
import { testRoom } from '../../protocols/json-head/session-rig.suite.ts'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import { Histogram } from '../histogram.ts'
import type { ServerState } from '../server.ts'
import { createDebugRoutes, type DebugReport, type DebugRoutesOptions, type ServerView } from './index.ts'

const math = service(
  'math',
  { add: method({ idempotent: true, doc: 'Adds.' }, (a: number, b = 2) => a + b), idle: () => 1 },
  { version: '1.2' },
)

function view(times: readonly number[] = [0.05, 0.064, 3, 1000], state: ServerState = 'serving'): ServerView {
  const histogram = new Histogram()
  for (const ms of times) histogram.add(ms)
  const latency = histogram.read()
  const one = { calls: times.length, inFlight: 1, errors: { aborted: 2 }, latency }
  return {
    id: 'server-1',
    state,
    targets: ['tcp://127.0.0.1:8089'],
    endpoints: [{ protocol: 'farcall', address: { transport: 'tcp', host: '10.0.0.1', port: 8089 } }],
    weight: 1,
    services: () => [math, metaService({ services: () => [math] })],
    stats: () => ({
      connections: { open: 3, silent: 1, accepted: 9, turnedAway: 0, unrecognised: 2 },
      sessions: { farcall: 2, http: 1 },
      inFlight: 1,
      callsBy: { farcall: 3, http: 1, 'lab-json': 0 },
      registries: [
        { target: 'registry://127.0.0.1:9999', state: 'registered' },
        { target: 'lab-registry+http://r:1', state: 'failing', reason: 'nobody "there"' },
      ],
      uncooperative: 0,
      methods: [
        { service: 'math', method: 'add', ...one },
        { service: '?', method: '?', ...one },
      ],
    }),
  }
}

function request(
  path: string,
  patch: Partial<HttpRequest> & { fields?: Record<string, string> } = {},
): HttpRequest {
  const { fields = {}, ...rest } = patch
  const [name, query] = path.split('?')
  return {
    method: 'GET',
    path: name as string,
    query: new URLSearchParams(query),
    headers: new Map(Object.entries(fields)),
    body: new Uint8Array(0),
    peer: { transport: 'tcp', address: '127.0.0.1:50000' },
    host: '127.0.0.1:8089',
    room: testRoom(createVirtualClock()),
    signal: new AbortController().signal,
    ...rest,
  }
}

async function ask(
  path: string,
  patch: Parameters<typeof request>[1] = {},
  options: Partial<DebugRoutesOptions> = {},
): Promise<HttpResponse & { text: string }> {
  const routes = createDebugRoutes({ server: () => view(), wallClock: () => 123, ...options })
  for (const route of routes) {
    const response = await route(request(path, patch), () => undefined)
    if (response !== undefined) return { ...response, text: textOf(response) }
  }
  return { status: 0, text: '' }
}

function textOf(response: HttpResponse | undefined): string {
  assert.ok(typeof response?.body === 'string')
  return response.body
}

const stranger = { peer: { transport: 'tcp', address: '10.0.0.9:50000' } }

describe('health', () => {
  const rows: [state: ServerState | undefined, healthz: number, readyz: number][] = [
    [undefined, 200, 503],
    ['starting', 200, 503],
    ['serving', 200, 200],
    ['draining', 200, 503],
    ['closed', 503, 503],
  ]
  for (const [state, healthz, readyz] of rows) {
    it(`${state ?? 'no server yet'}: healthz ${healthz}, readyz ${readyz}, for anybody`, async () => {
      const server = () => (state === undefined ? undefined : view([], state))
      assert.equal((await ask('/healthz', stranger, { server })).status, healthz)
      assert.equal((await ask('/readyz', stranger, { server, debugToken: 'x' })).status, readyz)
    })
  }

  it('is open to any host and origin, and only read', async () => {
    const [health, debug, metrics] = createDebugRoutes({ server: () => undefined })
    assert.deepEqual([health?.open, debug?.open, metrics?.open], [true, undefined, undefined])
    assert.equal((await ask('/healthz', { method: 'POST' })).status, 405)
    assert.equal((await ask('/healthz', { method: 'HEAD' })).status, 200)
  })
})

describe('metrics', () => {
  it('are Prometheus text', async () => {
    const { status, headers, text } = await ask('/metrics')
    assert.equal(status, 200)
    assert.equal(headers?.['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
    for (const line of text.trimEnd().split('\n')) {
      assert.match(line, /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [\d.e+-]+)$/)
    }
    for (const line of [
      'farcall_up 1',
      'farcall_calls_total{service="math",method="add"} 4',
      'farcall_call_errors_total{service="math",method="add",code="aborted"} 2',
      'farcall_calls_in_flight{service="?",method="?"} 1',
      'farcall_call_duration_seconds_bucket{service="math",method="add",le="0.000064"} 1',
      'farcall_call_duration_seconds_bucket{service="math",method="add",le="0.000256"} 2',
      'farcall_call_duration_seconds_bucket{service="math",method="add",le="0.004096"} 3',
      'farcall_call_duration_seconds_bucket{service="math",method="add",le="+Inf"} 4',
      'farcall_call_duration_seconds_count{service="math",method="add"} 4',
      'farcall_connections 3',
      'farcall_sessions{protocol="http"} 1',
      'farcall_protocol_calls_total{protocol="farcall"} 3',
      'farcall_registered{registry="registry://127.0.0.1:9999"} 1',
      'farcall_registered{registry="lab-registry+http://r:1"} 0',
    ])
      assert.ok(text.split('\n').includes(line), line)
    assert.equal(text.split('# TYPE farcall_call_duration_seconds histogram').length, 2)
  })

  it('count every call in the first bucket that it fits into', () => {
    const bounds = Array.from({ length: 11 }, (_, at) => 2 ** (2 * at + 6) / 1000)
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100_000, noNaN: true }), { maxLength: 30 }), (times) => {
        const route = createDebugRoutes({ server: () => view(times) })[2]
        const text = textOf(route?.(request('/metrics'), () => undefined) as HttpResponse | undefined)
        for (const bound of bounds) {
          const name = `farcall_call_duration_seconds_bucket{service="math",method="add",le="${bound / 1000}"} `
          const line = text.split('\n').find((one) => one.startsWith(name))
          // The histogram counts whole microseconds.
          const expected = times.filter((ms) => Math.floor(ms * 1000) < bound * 1000).length
          const most = times.filter((ms) => Math.floor(ms * 1000) <= bound * 1000).length
          const found = Number(line?.slice(name.length))
          assert.ok(found >= expected && found <= most, `${line}: ${expected} to ${most}`)
        }
      }),
    )
  })

  it('tell what the program says of itself, where it is a number', async () => {
    const facts = () => ({ instances: 12, version: '1.0' })
    const { text } = await ask('/metrics', {}, { facts })
    assert.match(text, /\nfarcall_fact\{name="instances"\} 12\n/)
    assert.doesNotMatch(text, /name="version"/)
  })

  it('tell of the process where it is known', async () => {
    const readProcess = () => ({
      residentBytes: 1,
      heapUsedBytes: 2,
      heapTotalBytes: 3,
      cpuSeconds: 4.5,
      startedAt: 5,
      loopUtilization: 0.5,
    })
    assert.match((await ask('/metrics', {}, { readProcess })).text, /\nprocess_resident_memory_bytes 1\n/)
    assert.doesNotMatch((await ask('/metrics')).text, /process_/)
  })
})

describe('the debug page', () => {
  it('is the same at the paths of the older systems', async () => {
    const page = await ask('/debug/farcall')
    assert.match(page.headers?.['content-type'] ?? '', /^text\/html/)
    for (const path of ['/debug/myrpc', '/debug/geerpc']) assert.equal((await ask(path)).text, page.text)
    // All that it needs is here, and nothing of it comes from elsewhere.
    for (const [, name] of page.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
      if (name?.startsWith('/')) assert.equal((await ask(name)).status, 200, name)
      else assert.match(name ?? '', /^(\?format=json|data:,)$/)
    }
    assert.match(page.headers?.['content-security-policy'] ?? '', /^default-src 'none'/)
  })

  it('is JSON for programs, however they ask', async () => {
    const read = (text: string) => JSON.parse(text) as DebugReport
    const byQuery = read((await ask('/debug/myrpc?format=json')).text)
    const byField = read((await ask('/debug/farcall', { fields: { accept: 'application/json' } })).text)
    assert.deepEqual(byQuery, byField)
    assert.equal(byQuery.at, 123)
    assert.deepEqual(byQuery.endpoints, ['tcp://10.0.0.1:8089'])
    const [first, second] = byQuery.services
    assert.equal(first?.version, '1.2')
    assert.deepEqual(
      first?.methods.map(({ signature, stats }) => [signature, stats?.calls]),
      [
        ['add(a, b=2)', 4],
        ['idle()', undefined],
      ],
    )
    assert.equal(second?.internal, true)
    assert.equal(byQuery.unknown?.calls, 4)
    const html = await ask('/debug/farcall', { fields: { accept: 'text/html,application/json;q=0.9' } })
    assert.match(html.headers?.['content-type'] ?? '', /^text\/html/)
  })

  it('tells how the server stands with its registries, who speaks what, and what else is known', async () => {
    const facts = () => ({ instances: 12, note: '<b>' })
    const typesOf = ({ idempotent }: { readonly idempotent: boolean }) =>
      idempotent ? { args: 'Args{A int}', reply: 'int' } : undefined
    const { text } = await ask('/debug/farcall?format=json', {}, { facts, typesOf })
    const report = JSON.parse(text) as DebugReport
    assert.deepEqual(report.facts, facts())
    assert.deepEqual(report.callsBy, { farcall: 3, http: 1, 'lab-json': 0 })
    assert.deepEqual(report.registries[1], {
      target: 'lab-registry+http://r:1',
      state: 'failing',
      reason: 'nobody "there"',
    })
    assert.equal(report.weight, 1)
    const [add, idle] = report.services[0]?.methods ?? []
    assert.deepEqual(add?.types, { args: 'Args{A int}', reply: 'int' })
    assert.equal(idle?.types, undefined)
  })

  it('the script is one that a browser takes', async () => {
    const { text } = await ask('/debug/farcall/page.js')
    assert.ok(new Script(text) instanceof Script)
  })

  it('is for this machine alone, or for who has the token', async () => {
    for (const path of ['/metrics', '/debug/farcall?format=json']) {
      assert.equal((await ask(path, stranger)).status, 403)
      assert.match((await ask(path, stranger)).text, /debugToken/)
      const token = { debugToken: 'abc' }
      const withField = (authorization: string) => ({ ...stranger, fields: { authorization } })
      assert.equal((await ask(path, withField('Bearer abc'), token)).status, 200)
      assert.equal((await ask(path, withField('bearer  abc'), token)).status, 200)
      for (const wrong of ['Bearer abcd', 'Bearer ab', 'Bearer abd', 'abc', 'Basic abc', 'Bearer '])
        assert.equal((await ask(path, withField(wrong), token)).status, 401, wrong)
      assert.equal((await ask(path, {}, token)).status, 401)
    }
    for (const debugToken of ['', 'a b'])
      assert.throws(
        () => createDebugRoutes({ server: () => undefined, debugToken }),
        (error) => RpcError.is(error) && /debugToken/.test(error.message),
      )
  })

  it('is not for who comes through a proxy on this machine, without the token', async () => {
    for (const name of ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip']) {
      const fields = { [name]: '203.0.113.9' }
      assert.equal((await ask('/metrics', { fields })).status, 403, name)
      const known = { ...fields, authorization: 'Bearer abc' }
      assert.equal((await ask('/metrics', { fields: known }, { debugToken: 'abc' })).status, 200, name)
    }
  })

  it('says that the server is starting', async () => {
    const server = () => undefined
    assert.equal((await ask('/metrics', {}, { server })).status, 503)
    assert.equal((await ask('/debug/farcall?format=json', {}, { server })).status, 503)
    assert.equal((await ask('/elsewhere', {}, { server })).status, 0)
    assert.equal((await ask('/metrics', { method: 'POST' })).status, 405)
  })
})
