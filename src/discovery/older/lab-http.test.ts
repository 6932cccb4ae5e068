import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatEndpoint, parseEndpoint } from '../../core/endpoint.ts'
import type { Instance } from '../../core/instance.ts'
import { math, watch } from '../discovery.suite.ts'
import type { Fetch } from '../source.ts'
import { createLabHttpHarness } from './harness.suite.ts'
import { createLabHttpRegistrars, createLabHttpResolvers } from './index.ts'

const target = 'lab-registry+http://127.0.0.1:8081'
const ttlMs = 15_000

/** A server as `serve` announces it. */
const server: Instance = {
  ...math,
  endpoints: ['tcp://10.0.0.5:8089', 'lab-json+tcp://10.0.0.5:8089', 'geerpc+tcp://10.0.0.5:8089'].map(
    parseEndpoint,
  ),
}

const old = (host: string, port: unknown, parameters: unknown = {}, protocol = 'json') => ({
  protocol,
  host,
  port,
  status: 'true',
  parameters,
})

/** What a client sees of these entries. */
async function found(entries: readonly object[], at = target) {
  const h = createLabHttpHarness(at)
  entries.forEach((entry, i) => h.registry.entries.set(String(i), entry))
  const seen = watch(h)
  await h.clock.advance(100)
  seen.stop()
  return { ...h, seen, instances: [...(seen.last?.instances.values() ?? [])] }
}

describe('registering at the HTTP registry of the JSON lab', () => {
  it('is one entry for each protocol, as the documents write it', async () => {
    const h = createLabHttpHarness(target)
    const registration = h.newRegistrar().register([server], { ttlMs })
    await h.clock.advance(100)
    await registration.ready
    const entries = [...h.registry.entries.values()] as { parameters: Record<string, string> }[]
    assert.deepEqual(
      entries.map(({ parameters: _, ...rest }) => rest),
      [
        { protocol: 'farcall', host: '10.0.0.5', port: 8089, status: 'true' },
        { protocol: 'json', host: '10.0.0.5', port: 8089, status: 'true' },
      ],
    )
    const { farcall, ...plain } = entries[1]?.parameters ?? {}
    assert.deepEqual(
      plain,
      JSON.parse(
        '{"__proto__": "x", "canary": "yes", "id": "math-1", "services": "math", "weight": "2", "zone": "west"}',
      ),
    )
    assert.deepEqual(JSON.parse(farcall ?? '').services, server.services)
  })

  it('comes first, then every 5 s, give or take a tenth, for ever', async () => {
    const h = createLabHttpHarness(target)
    h.newRegistrar().register([server], { ttlMs })
    await h.clock.settle()
    assert.equal(h.registry.entries.size, 2)
    await h.clock.advance(600_000)
    const posts = h.registry.asked.filter((line) => line === 'POST /myRegistry/register')
    assert.ok(posts.length >= 2 * 110 && posts.length <= 2 * 133, `${posts.length} in 10 min`)
    h.cutRegistrars('down')
    await h.clock.advance(3_600_000)
    h.cutRegistrars(undefined)
    await h.clock.advance(5_000)
    assert.equal(h.registry.entries.size, 2)
    assert.equal(h.log.filter((line) => line.startsWith('warn')).length, 1, 'an outage is said once')
  })

  it('takes the place of what a dead process left at the address', async () => {
    const h = createLabHttpHarness(target)
    await h.room.fetch?.('http://127.0.0.1:8081/myRegistry/register', {
      method: 'POST',
      body: JSON.stringify(old('10.0.0.5', 8089, { id: 'dead' })),
    })
    const registration = h.newRegistrar().register([server], { ttlMs })
    await h.clock.advance(100)
    await registration.ready
    const entries = [...h.registry.entries.values()] as { parameters: { id?: string } }[]
    assert.deepEqual(
      entries.map(({ parameters }) => parameters.id),
      ['math-1', 'math-1'],
    )
  })

  it('is undone when the server drains, and all at once when it leaves', async () => {
    const h = createLabHttpHarness(target)
    const registrar = h.newRegistrar()
    const first = registrar.register([server], { ttlMs })
    const endpoints = [parseEndpoint('lab-json+tcp://10.0.0.6:1')]
    registrar.register([{ ...server, id: 'other', endpoints }], { ttlMs })
    await h.clock.advance(100)
    assert.equal(h.registry.entries.size, 3)
    await first.drain()
    assert.equal(h.registry.entries.size, 1)
    await h.clock.advance(60_000)
    assert.equal(h.registry.entries.size, 1)
    await first.close()
    await registrar[Symbol.asyncDispose]?.()
    assert.equal(h.registry.entries.size, 0)
  })

  it('a change is registered anew, and only where something changed', async () => {
    const h = createLabHttpHarness(target)
    const registration = h.newRegistrar().register([server], { ttlMs })
    await h.clock.advance(100)
    const before = h.registry.asked.length
    await registration.update([{ ...server }])
    assert.equal(h.registry.asked.length, before)
    await registration.update([{ ...server, weight: 9 }])
    assert.equal(h.registry.asked.length, before, 'a weight goes with the next heartbeat')
    await registration.update([{ ...server, services: [{ name: 'text' }] }])
    const [entry] = [...h.registry.entries.values()] as { parameters: { services: string } }[]
    assert.equal(entry?.parameters.services, 'text')
  })

  it('a server that speaks none of its protocols is told so, and which it could', async () => {
    const h = createLabHttpHarness(target)
    const endpoints = [parseEndpoint('tls://10.0.0.5:1'), parseEndpoint('geerpc+tcp://10.0.0.5:1')]
    const refused = h.newRegistrar().register([{ ...server, endpoints }], { ttlMs })
    await assert.rejects(refused.ready, {
      code: 'invalid_argument',
      message:
        /is for servers that speak farcall or lab-json over tcp, and instance 'math-1' has only tls:.*name farcall or lab-json in 'protocols'/,
    })
    await refused.update([server])
    assert.equal(h.registry.entries.size, 2, 'a change can mend it')
  })

  it('a protocol that was named has to be spoken; of two servers only one is refused', async () => {
    const h = createLabHttpHarness(`${target}?proto=json,net-rpc`)
    const registrar = h.newRegistrar()
    const lacking = registrar.register([server], { ttlMs })
    await assert.rejects(lacking.ready, { message: /speak net-rpc over tcp/ })
    const endpoints = ['lab-json+tcp://10.0.0.6:1', 'net-rpc+tcp://10.0.0.6:1'].map(parseEndpoint)
    const good = registrar.register([{ ...server, endpoints }], { ttlMs })
    await h.clock.advance(100)
    await good.ready
    assert.equal(h.registry.entries.size, 2)
  })

  it('who is refused is told, and asks again until he is not', async () => {
    const h = createLabHttpHarness(target)
    let answer: (() => Response) | undefined = () => Response.json({ error: 'Not Found' }, { status: 404 })
    const asked = h.room.fetch as Fetch
    const fetch: Fetch = async (url, init) => answer?.() ?? asked(url, init)
    const registrar = createLabHttpRegistrars().create(target, { ...h.room, fetch })
    const registration = registrar.register([server], { ttlMs })
    const refused = assert.rejects(registration.ready, {
      code: 'unimplemented',
      message:
        /POST http:\/\/127.0.0.1:8081\/myRegistry\/unregister was answered with 404: {"error":"Not Found"}/,
    })
    await h.clock.advance(10_000)
    await refused
    answer = () => Response.json({ ...old('10.0.0.5', 8089), status: false })
    await h.clock.advance(10_000)
    assert.match(h.log.filter((line) => line.startsWith('debug')).at(-1) ?? '', /status false/)
    answer = undefined
    await h.clock.advance(6_000)
    assert.equal(h.registry.entries.size, 2)
    await Promise.all([registration.close(), h.clock.advance(1_000)])
  })
})

describe('finding at the HTTP registry of the JSON lab', () => {
  it('an older server is where it says, and may offer anything', async () => {
    const { instances, seen } = await found([old('192.168.1.1', 8080)])
    assert.deepEqual(instances, [
      {
        id: 'lab-json+tcp://192.168.1.1:8080',
        incarnation: 0,
        services: [],
        endpoints: [parseEndpoint('lab-json+tcp://192.168.1.1:8080')],
        weight: 1,
        zone: undefined,
        metadata: Object.create(null),
        status: 'up',
      },
    ])
    assert.equal(seen.last?.status, 'live')
  })

  it('is asked every 3 s for each protocol, once for all that is looked for', async () => {
    const h = createLabHttpHarness(target)
    const resolver = h.newResolver()
    const stop = new AbortController()
    const read = async (service: string) => {
      for await (const _ of resolver.watch({ service }, stop.signal));
    }
    const readers = ['a', 'b', 'c'].map(read)
    await h.clock.advance(60_000)
    const asked = new Set(h.registry.asked)
    assert.deepEqual(
      asked,
      new Set(['farcall', 'json'].map((proto) => `GET /myRegistry/findAllInstances?proto=${proto}`)),
    )
    assert.ok(h.registry.asked.length >= 2 * 18 && h.registry.asked.length <= 2 * 23)
    stop.abort()
    await Promise.all(readers)
    const before = h.registry.asked.length
    await h.clock.advance(60_000)
    assert.deepEqual([h.registry.asked.length, h.clock.timers], [before, 0])
  })

  it('what stays the same is not told again', async () => {
    const h = await found([old('a', 1), old('b', 2)])
    const seen = watch(h)
    await h.clock.advance(60_000)
    assert.equal(seen.all.length, 1)
    const before = seen.last?.instances.get('lab-json+tcp://a:1')
    h.registry.entries.set('2', old('c', 3))
    await h.clock.advance(3_400)
    assert.equal(seen.ids().length, 3)
    assert.equal(seen.last?.instances.get('lab-json+tcp://a:1'), before)
    seen.stop()
  })

  it('a server that listens everywhere is at the host of the registry', async () => {
    const { instances } = await found(
      ['0.0.0.0', '::', ''].map((host, i) => old(host, i + 1)),
      'lab-registry+http://registry.example:8081',
    )
    assert.deepEqual(
      instances.map(({ id }) => id),
      [
        'lab-json+tcp://registry.example:1',
        'lab-json+tcp://registry.example:2',
        'lab-json+tcp://registry.example:3',
      ],
    )
  })

  it('what its author put into the parameters is taken for what it is', async () => {
    const { instances } = await found([
      old('a', '1', { services: 'math, text', weight: '3', zone: 'west', load: 0.5, list: [1] }),
      old('b', 2, { services: ['math'], weight: '', zone: 7 }),
      old('c', 3, null),
      old('d', 4, { note: 'x'.repeat(10_000), services: 5, id: '' }),
    ])
    const [a, b, c, d] = instances
    assert.deepEqual([a?.weight, a?.zone, a?.services], [3, 'west', [{ name: 'math' }, { name: 'text' }]])
    assert.deepEqual({ ...a?.metadata }, { load: '0.5' })
    assert.deepEqual([b?.weight, b?.zone, b?.services], [1, undefined, [{ name: 'math' }]])
    assert.deepEqual([c?.services, d?.services, d?.id], [[], [], 'lab-json+tcp://d:4'])
    assert.deepEqual({ ...d?.metadata }, {})
  })

  it('older servers that call themselves the same are told apart, and found by it', async () => {
    const { instances } = await found(
      [1, 2].map((port) => old('a', port, { id: 'calculator', farcall: '{"services":[]}' })),
    )
    assert.deepEqual(
      instances.map(({ id, metadata }) => [id, { ...metadata }]),
      [1, 2].map((port) => [`lab-json+tcp://a:${port}`, { id: 'calculator' }]),
    )
  })

  it('one process that is registered twice is one instance; of two lives of it the newer counts', async () => {
    const h = createLabHttpHarness(target)
    const registrar = h.newRegistrar()
    const moved = ['tcp://10.0.0.5:9', 'lab-json+tcp://10.0.0.5:9'].map(parseEndpoint)
    registrar.register([server], { ttlMs })
    const seen = watch(h)
    await h.clock.advance(3_400)
    const endpoints = () => seen.last?.instances.get('math-1')?.endpoints.map(formatEndpoint)
    assert.deepEqual(endpoints(), ['tcp://10.0.0.5:8089', 'lab-json+tcp://10.0.0.5:8089'])
    registrar.register([{ ...server, incarnation: 2, endpoints: moved }], { ttlMs })
    await h.clock.advance(3_400)
    assert.deepEqual(endpoints(), ['tcp://10.0.0.5:9', 'lab-json+tcp://10.0.0.5:9'])
    seen.stop()
  })

  it('what cannot be read is left out and said once; nothing but that is an error', async () => {
    const bad = [
      old('a', 0),
      old('a', 'x'),
      old('a\nb', 1),
      old('', 1, { farcall: '{' }),
      old('', 1, { farcall: '[]' }),
      old('a', 1, 'text'),
      { port: 1 },
      [],
      'text',
    ] as object[]
    const some = await found([...bad.slice(0, 7), old('ok', 1)])
    const seen = watch(some)
    await some.clock.advance(30_000)
    assert.deepEqual(seen.ids(), ['lab-json+tcp://ok:1'])
    assert.equal(new Set(some.log).size, 6)
    assert.equal(some.log.length, 12, 'once by each of two')
    assert.ok(
      some.log.some((line) => line.includes('"host":"a","port":0') && line.includes('port should be')),
    )
    seen.stop()
    for (const entry of bad.slice(0, 6)) {
      const { seen: none } = await found([entry])
      assert.equal(none.last?.status, 'lost')
      assert.match(none.last.reason?.message ?? '', /nothing that the registry names can be read/)
    }
  })

  it('answers that are no list are errors, never an empty list', async () => {
    const h = createLabHttpHarness(target)
    h.registry.entries.set('0', old('a', 1))
    let body: string | undefined
    const asked = h.room.fetch as Fetch
    const fetch: Fetch = async (url, init) => (body === undefined ? asked(url, init) : new Response(body))
    const resolver = createLabHttpResolvers().create(target, { ...h.room, fetch })
    const seen = watch({ ...h, newResolver: () => resolver })
    await h.clock.advance(100)
    for (body of [
      '',
      'null',
      '{}',
      '<html>',
      '[',
      '"text"',
      JSON.stringify(Array(10_001).fill(old('b', 1))),
    ]) {
      await h.clock.advance(10_000)
      assert.deepEqual([seen.ids(), seen.last?.status], [['lab-json+tcp://a:1'], 'stale'], body.slice(0, 20))
    }
    body =
      '[{"protocol": "json", "host": "b", "port": 1, "parameters": {"load": NaN, "text": "a NaN", "x": -Infinity}}]'
    await h.clock.advance(10_000)
    assert.deepEqual([seen.ids(), seen.last?.status], [['lab-json+tcp://b:1'], 'live'])
    assert.deepEqual({ ...seen.last?.instances.get('lab-json+tcp://b:1')?.metadata }, { text: 'a NaN' })
    seen.stop()
  })

  it('a list that shrinks at once to less than half is doubted, what leaves one by one is believed', async () => {
    const h = await found([1, 2, 3, 4].map((port) => old('a', port)))
    const seen = watch(h)
    await h.clock.advance(100)
    h.registry.entries.delete('0')
    await h.clock.advance(3_400)
    assert.deepEqual([seen.ids().length, seen.last?.status], [3, 'live'])
    h.registry.entries.set('0', old('a', 1))
    await h.clock.advance(3_400)
    for (const key of ['0', '1', '2']) h.registry.entries.delete(key)
    await h.clock.advance(3_400)
    assert.deepEqual([seen.ids().length, seen.last?.status], [4, 'stale'])
    assert.match(
      seen.last?.reason?.message ?? '',
      /names only 1 instances, where there were 4; 3 are kept for 30 s/,
    )
    await h.clock.advance(30_000)
    assert.deepEqual([seen.ids().length, seen.last?.status], [1, 'live'])
    seen.stop()
  })

  it('asking now is seen by those who watch', async () => {
    const h = await found([])
    const resolver = h.newResolver()
    const snapshots = resolver.watch({}, new AbortController().signal)[Symbol.asyncIterator]()
    await h.clock.advance(100)
    await snapshots.next()
    h.registry.entries.set('0', old('a', 1))
    const [asked, told] = await Promise.all([
      resolver.refresh?.({}, new AbortController().signal),
      snapshots.next(),
    ])
    assert.deepEqual([asked?.instances.size, told.value?.instances.size], [1, 1])
    await resolver[Symbol.asyncDispose]?.()
  })
})
