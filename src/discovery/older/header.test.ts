import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatEndpoint, parseEndpoint } from '../../core/endpoint.ts'
import { math, watch } from '../discovery.suite.ts'
import type { Fetch } from '../source.ts'
import { createHeaderHarness } from './harness.suite.ts'
import { createHeaderRegistrars, createHeaderResolvers } from './index.ts'

const target = 'geerpc-registry+http://10.0.0.1:9999'
const ttlMs = 15_000

interface Posted {
  readonly url: string
  readonly headers: Record<string, string>
}

/** Answers every question with these headers; keeps what was sent. */
function setUp(at: string, headers: Record<string, string> = {}) {
  const h = createHeaderHarness(at)
  const posted: Posted[] = []
  const answer = { headers }
  const fetch: Fetch = async (url, init) => {
    posted.push({ url: url as string, headers: { ...(init?.headers as Record<string, string>) } })
    return new Response(null, answer)
  }
  const room = { ...h.room, fetch }
  const resolver = createHeaderResolvers().create(at, room)
  const registrar = createHeaderRegistrars().create(at, room)
  return { ...h, posted, answer, registrar, newResolver: () => resolver }
}

const endpointsIn = (seen: ReturnType<typeof watch>) =>
  [...(seen.last?.instances.values() ?? [])].flatMap(({ endpoints }) => endpoints.map(formatEndpoint))

describe('registering at a header registry', () => {
  it('is one header, at the path of the documents or another', async () => {
    for (const [at, url, header] of [
      [target, 'http://10.0.0.1:9999/_geerpc_/registry', 'X-Geerpc-Server'],
      ['myrpc-registry+http://r:1', 'http://r:1/_geerpc_/registry', 'X-Myrpc-Server'],
      ['myrpc-registry+http://r:1/_myrpc_/registry', 'http://r:1/_myrpc_/registry', 'X-Myrpc-Server'],
    ] as const) {
      const h = setUp(at)
      const endpoints = ['tcp://10.0.0.5:8089', 'geerpc+tcp://[::1]:8089', 'geerpc+unix:/run/x'].map(
        parseEndpoint,
      )
      const registration = h.registrar.register([{ ...math, endpoints }], { ttlMs })
      await h.clock.advance(100)
      await registration.ready
      assert.deepEqual(h.posted, [{ url, headers: { [header]: 'tcp@[::1]:8089' } }])
    }
  })

  it('a server that only listens at a socket file says so; one that speaks no geerpc is told', async () => {
    const h = setUp(target)
    h.registrar.register([{ ...math, endpoints: [parseEndpoint('geerpc+unix:/run/x')] }], { ttlMs })
    await h.clock.advance(100)
    assert.deepEqual(h.posted[0]?.headers, { 'X-Geerpc-Server': 'unix@/run/x' })
    const lacking = h.registrar.register([math], { ttlMs })
    await assert.rejects(lacking.ready, {
      code: 'invalid_argument',
      message: /servers that speak geerpc over tcp/,
    })
  })

  it('comes again every 4 min, goes on after failures, and ends when the server drains: there is no way back', async () => {
    const h = createHeaderHarness()
    const registration = h.newRegistrar().register([h.subject ?? math], { ttlMs })
    await h.clock.advance(3_600_000)
    const posts = () => h.registry.asked.filter((line) => line.startsWith('POST')).length
    assert.ok(posts() >= 14 && posts() <= 17, `${posts()} in an hour`)
    h.cutRegistrars('down')
    await h.clock.advance(600_000)
    h.cutRegistrars(undefined)
    await h.clock.advance(5_000)
    const seen = watch(h)
    await h.clock.advance(100)
    assert.equal(seen.ids().length, 1)
    await registration.drain()
    const before = posts()
    await h.clock.advance(600_000)
    assert.equal(posts(), before)
    assert.ok(h.log.some((line) => /^debug: .*cannot be told that tcp@10.0.0.5:8089 leaves/.test(line)))
    seen.stop()
  })
})

describe('finding at a header registry', () => {
  it('reads the spellings of XDial; a server that listens everywhere is at the host of the registry', async () => {
    const list = 'http@b:2, tcp@10.0.0.5:1,tcp@[::]:43211,tcp@:7,http@0.0.0.0:8,unix@/tmp/x,,tcp@[fe80::1]:3'
    for (const [at, header, http] of [
      [target, 'X-Geerpc-Servers', 'geerpc-http'],
      ['myrpc-registry+http://10.0.0.1:9999/x', 'X-Myrpc-Servers', 'myrpc-http'],
    ] as const) {
      const h = setUp(at, { [header]: list })
      const seen = watch(h)
      await h.clock.advance(100)
      assert.deepEqual(endpointsIn(seen), [
        `${http}+tcp://b:2`,
        'geerpc+tcp://10.0.0.5:1',
        'geerpc+tcp://10.0.0.1:43211',
        'geerpc+tcp://10.0.0.1:7',
        `${http}+tcp://10.0.0.1:8`,
        'geerpc+unix:/tmp/x',
        'geerpc+tcp://[fe80::1]:3',
      ])
      seen.stop()
    }
  })

  it('is asked every 10 s; an empty header says that nobody is there, none at all is an error', async () => {
    const h = setUp(target, { 'X-Geerpc-Servers': '' })
    const seen = watch(h)
    await h.clock.advance(600_000)
    assert.ok(h.posted.length >= 54 && h.posted.length <= 67, `${h.posted.length} in 10 min`)
    assert.deepEqual([seen.last?.status, seen.ids()], ['live', []])
    h.answer.headers = { 'X-Myrpc-Servers': 'tcp@a:1' }
    await h.clock.advance(12_000)
    assert.equal(seen.last?.status, 'stale')
    assert.match(
      seen.last.reason?.message ?? '',
      /without the header X-Geerpc-Servers; it has that of myrpc-registry\+http:/,
    )
    h.answer.headers = {}
    await h.clock.advance(12_000)
    assert.equal(seen.last.status, 'stale')
    seen.stop()
  })

  it('what cannot be read is left out and said once', async () => {
    const list = 'tcp@a:1,tcp://b:2,tcp@c,ftp@d:1,tcp@e:1@f,tcp@g:0,a:1'
    const h = setUp(target, { 'X-Geerpc-Servers': list })
    const seen = watch(h)
    await h.clock.advance(60_000)
    assert.deepEqual(endpointsIn(seen), ['geerpc+tcp://a:1'])
    assert.equal(h.log.filter((line) => /^warn: .*left out/.test(line)).length, 6)
    seen.stop()
  })

  it('a list without end is refused', async () => {
    const h = setUp(target, { 'X-Geerpc-Servers': Array(10_001).fill('tcp@a:1').join() })
    const seen = watch(h)
    await h.clock.advance(100)
    assert.equal(seen.last?.status, 'lost')
    assert.match(seen.last.reason?.message ?? '', /names 10001 servers, at most 10000/)
    seen.stop()
  })
})
