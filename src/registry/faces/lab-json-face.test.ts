import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeInstance, encodeInstance } from '../../discovery/api/instance-data.ts'
import type { HttpResponse } from '../../protocols/http-route.ts'
import { createFacesRig, textOf } from './faces-rig.suite.ts'

const meta = (patch: object = {}) => ({
  protocol: 'json',
  host: '10.0.0.5',
  port: 8080,
  status: null,
  parameters: {},
  ...patch,
})
const findPath = '/myRegistry/findAllInstances?proto=json'

describe('the registry of the Python systems with JSON', () => {
  it('registers an instance and gives it back whole, with its status; lists it; takes it out', async () => {
    const { json, store, registry } = createFacesRig()
    const up = await json('/myRegistry/register', { body: meta() })
    assert.deepEqual(up, { status: 200, value: meta({ status: true }) })
    assert.deepEqual((await json(findPath)).value, [meta({ status: true })])
    const down = await json('/myRegistry/unregister', { body: meta({ status: 'true' }) })
    assert.deepEqual(down, { status: 200, value: meta({ status: false }) })
    assert.deepEqual((await json(findPath)).value, [])
    assert.equal(store.leases, 0)
    registry.close()
  })

  it('says false of one that it does not know', async () => {
    const { json, registry } = createFacesRig()
    const { status, value } = await json('/myRegistry/unregister', { body: meta() })
    assert.deepEqual([status, value], [200, meta({ status: false })])
    registry.close()
  })

  it('takes one back in that was taken out', async () => {
    const { json, found, store, registry } = createFacesRig()
    await json('/myRegistry/register', { body: meta() })
    const [first] = store.instances()
    await json('/myRegistry/unregister', { body: meta() })
    await json('/myRegistry/register', { body: meta() })
    assert.deepEqual(await found(), ['10.0.0.5:8080'])
    const [again] = store.instances()
    assert.ok((again?.incarnation ?? 0) > (first?.incarnation ?? 0))
    registry.close()
  })

  it('keeps it for ten seconds after the last heartbeat, which is no news', async () => {
    const { clock, json, found, store, registry } = createFacesRig()
    await json('/myRegistry/register', { body: meta() })
    const { revision } = store
    for (let i = 0; i < 4; i++) {
      await clock.advance(5_000)
      await json('/myRegistry/register', { body: meta({ status: 'true' }) })
    }
    assert.equal(store.revision, revision)
    await clock.advance(9_500)
    assert.equal((await found()).length, 1)
    await clock.advance(1_000)
    assert.deepEqual(await found(), [])
    registry.close()
  })

  it('keeps it for ever if it is told so, until it is taken out', async () => {
    const { clock, json, found, registry } = createFacesRig({ json: { leaseMs: 0 } })
    await json('/myRegistry/register', { body: meta() })
    await clock.advance(3_600_000)
    assert.equal((await found()).length, 1)
    await json('/myRegistry/unregister', { body: meta() })
    assert.equal((await found()).length, 0)
    registry.close()
  })

  it('tells protocols, hosts and ports apart, and nothing else', async () => {
    const { json, found, store, registry } = createFacesRig()
    const all = [
      {},
      { host: '10.0.0.6' },
      { port: 8081 },
      { protocol: 'xml' },
      { parameters: { a: 1 } },
      { x: 1 },
    ]
    for (const patch of all) await json('/myRegistry/register', { body: meta(patch) })
    assert.equal(store.size, 4)
    assert.deepEqual(await found('json'), ['10.0.0.5:8080', '10.0.0.6:8080', '10.0.0.5:8081'])
    assert.deepEqual(await found('lab-json'), await found('json'))
    assert.deepEqual(await found('xml'), ['10.0.0.5:8080'])
    for (const proto of ['', 'farcall', 'JSON', '__proto__']) assert.deepEqual(await found(proto), [])
    assert.deepEqual((await json('/myRegistry/findAllInstances')).value, [])
    registry.close()
  })

  it('keeps what was sent, whatever it is, and has it as texts for everybody else', async () => {
    const { json, store, registry } = createFacesRig()
    const parameters = {
      zone: 'north',
      weight: 3,
      on: true,
      none: null,
      tags: ['a', { b: 1.5 }],
      größe: '€😀',
      '': 'empty',
    }
    const sent = meta({ parameters, version: '2', extra: { deep: [1] } })
    await json('/myRegistry/register', { body: sent })
    assert.deepEqual((await json(findPath)).value, [{ ...sent, status: true }])
    const [instance] = store.instances()
    assert.deepEqual(
      { ...instance?.metadata },
      {
        zone: 'north',
        weight: '3',
        on: 'true',
        none: 'null',
        tags: '["a",{"b":1.5}]',
        größe: '€😀',
        '': 'empty',
      },
    )
    await json('/myRegistry/register', {
      body: meta({ parameters: { ...parameters, weight: '3' }, version: '3' }),
    })
    assert.deepEqual(
      (await json(findPath)).value[0].parameters.weight,
      '3',
      'the same text, but another value',
    )
    assert.equal((await json(findPath)).value[0].version, '3')
    registry.close()
  })

  it('keeps it for an instance that is suspect, too', async () => {
    const { clock, json, store, registry } = createFacesRig()
    for (let port = 1; port <= 20; port++) {
      await json('/myRegistry/register', { body: meta({ port, parameters: { n: port } }) })
    }
    await clock.advance(10_500)
    assert.ok([...store.instances()].every(({ suspect }) => suspect === true))
    const { value } = await json(findPath)
    assert.equal(value.length, 20, 'an empty list would say that nobody is there')
    assert.deepEqual(value[6].parameters, { n: 7 })
    await json('/myRegistry/register', { body: meta({ port: 3 }) })
    assert.deepEqual(
      (await json(findPath)).value.map(({ port }: { port: number }) => port),
      [3],
    )
    registry.close()
  })

  it('reads the JSON of Python: NaN is no number for others, and no digit is lost', async () => {
    const { ask, json, registry } = createFacesRig()
    const body = `{"protocol": "json", "host": "h", "port": 1, "parameters": {"n": NaN, "i": [-Infinity], "big": 123456789012345678901}}`
    assert.equal((await json('/myRegistry/register', { body })).status, 200)
    const answer = await textOf(ask(findPath) as HttpResponse)
    assert.match(answer, /"parameters": \{"n": null, "i": \[null\], "big": 123456789012345678901\}/)
    registry.close()
  })

  it('knows what is offered from `services` among the parameters, or where it is told so', async () => {
    const { json, store, registry } = createFacesRig({ services: { '10.0.0.5': ['told'] } })
    const rows: [services: unknown, names: string][] = [
      [undefined, 'told'],
      ['math', 'math'],
      ['math, text,,math', 'math,text'],
      [['math', 'text'], 'math,text'],
      [[], 'told'],
      ['', 'told'],
      [{ math: 1 }, 'told'],
      [['math', 7], 'told'],
      [7, 'told'],
    ]
    for (const [services, names] of rows) {
      await json('/myRegistry/register', { body: meta({ parameters: { services } }) })
      const [instance] = store.instances()
      assert.equal(instance?.services.map(({ name }) => name).join(), names, JSON.stringify(services))
    }
    const refused = await json('/myRegistry/register', { body: meta({ parameters: { services: ['a\nb'] } }) })
    assert.deepEqual(
      [refused.status, refused.value],
      [400, { error: 'instance.services[0].name has control characters' }],
    )
    registry.close()
  })

  it('finds by parameters, if a client asks for that', async () => {
    const { json, registry } = createFacesRig()
    for (const [port, zone] of [
      [1, 'north'],
      [2, 'south'],
    ]) {
      await json('/myRegistry/register', { body: meta({ port, parameters: { zone, n: 1 } }) })
    }
    const ports = async (query: string) =>
      (await json(`${findPath}&${query}`)).value.map((one: { port: number }) => one.port)
    assert.deepEqual(await ports('parameters.zone=south'), [2])
    assert.deepEqual(await ports('parameters.n=1'), [1, 2])
    assert.deepEqual(await ports('parameters.zone=south&parameters.n=2'), [])
    assert.deepEqual(await ports('zone=south'), [1, 2])
    registry.close()
  })

  it('replaces "every address" by the one that it sees; the same spelling meets the same instance', async () => {
    const { json, found, store, registry } = createFacesRig()
    const from = '10.0.0.7'
    for (const host of ['0.0.0.0', '::', '[::]', '']) {
      const { status, value } = await json('/myRegistry/register', { from, body: meta({ host }) })
      assert.deepEqual([status, value.host, value.status], [200, host, true])
    }
    assert.deepEqual([await found(), store.leases], [['10.0.0.7:8080'], 1])
    await json('/myRegistry/unregister', { from: '10.0.0.8', body: meta({ host: '0.0.0.0' }) })
    assert.deepEqual(await found(), ['10.0.0.7:8080'], 'another sender means itself')
    await json('/myRegistry/unregister', { from, body: meta({ host: '0.0.0.0' }) })
    assert.deepEqual(await found(), [])
    registry.close()
  })

  it('gives a port that was sent as a text as the number that clients connect to', async () => {
    const { json, registry } = createFacesRig()
    await json('/myRegistry/register', { body: meta({ port: '8080' }) })
    assert.equal((await json(findPath)).value[0].port, 8080)
    registry.close()
  })

  it('answers 404 for what is not there, and takes no other path', async () => {
    const { ask, json, registry } = createFacesRig()
    const notFound = { status: 404, value: { error: 'Not Found' } }
    for (const path of [
      '/myRegistry',
      '/myRegistry/',
      '/myRegistry/x',
      '/myRegistry/register/x',
      '/myRegistry/constructor',
    ]) {
      assert.deepEqual(await json(path), notFound)
      assert.deepEqual(await json(path, { body: meta() }), notFound)
    }
    assert.deepEqual(await json('/myRegistry/register'), notFound)
    assert.deepEqual(await json('/myRegistry/findAllInstances', { body: {} }), notFound)
    assert.equal(ask('/myRegistryX'), undefined)
    assert.equal(ask('/'), undefined)
    registry.close()
  })

  it('has another path if it is told so', async () => {
    const { ask, json, registry } = createFacesRig({ json: { path: '/lab/v1' } })
    assert.equal((await json('/lab/v1/register', { body: meta() })).status, 200)
    assert.equal(ask('/myRegistry/register', { method: 'POST' }), undefined)
    registry.close()
  })

  it('lets only those write who may; anybody reads', async () => {
    const { json, lines, registry } = createFacesRig()
    const from = '203.0.113.9'
    for (const path of ['register', 'unregister']) {
      const { status, value } = await json(`/myRegistry/${path}`, { from, body: meta() })
      assert.equal(status, 403)
      assert.match(
        value.error,
        /203\.0\.113\.9 may not register here .* only 127\.0\.0\.0\/8, .* may; to let it/,
      )
    }
    assert.equal((await json(findPath, { from })).status, 200)
    assert.equal(lines.filter(({ level }) => level === 'warn').length, 2)
    registry.close()
  })

  const nonsense: readonly (readonly [what: string, body: unknown, why: RegExp])[] = [
    ['nothing', '', /the body should be one JSON object/],
    ['a list', '[]', /JSON object should begin/],
    ['half an object', '{"protocol": "json"', /the body should be one JSON object/],
    ['two objects', '{}{}', /the body should be one JSON object/],
    ['no JSON', '{protocol: json}', /no valid JSON/],
    ['no UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), /UTF-8/],
    ['no protocol', meta({ protocol: null }), /protocol should be a text/],
    ['an odd protocol', meta({ protocol: 'a+b' }), /protocol should be lower-case letters/],
    ['no host', meta({ host: null }), /host should be a text/],
    ['a host with a space', meta({ host: 'a b' }), /host should be a name/],
    ['no port', meta({ port: undefined }), /port should be a number/],
    ['a port that is none', meta({ port: 65_536 }), /port should be a number from 1 to 65535/],
    ['parameters that are a list', meta({ parameters: [1] }), /parameters should be an object/],
    [
      'too many parameters',
      meta({ parameters: { a: 'x'.repeat(4_096) } }),
      /instance\.metadata is larger than the 4096/,
    ],
    ['too much of anything', meta({ x: 'x'.repeat(8 * 1024) }), /the instance has \d+ bytes, at most 8192/],
    ['too deep', `{"protocol": ${'['.repeat(40)}${']'.repeat(40)}}`, /nested/],
    ['a long protocol', meta({ protocol: 'a'.repeat(120) }), /characters too long/],
  ]
  for (const [what, body, why] of nonsense) {
    it(`refuses ${what} with the reason`, async () => {
      const { json, store, registry } = createFacesRig()
      for (const path of ['register', 'unregister']) {
        const { status, value } = await json(`/myRegistry/${path}`, { body })
        // What is only too much to keep is no reason against taking it out.
        if (path === 'unregister' && status === 200) continue
        assert.equal(status, 400)
        assert.match(value.error, why)
      }
      assert.equal(store.size, 0)
      registry.close()
    })
  }

  it('lets nobody forge a line of the log', async () => {
    const { json, lines, registry } = createFacesRig()
    for (const body of [
      '{"a": \u001b[31m\n"b"}',
      '{"a": 1,\n\n\u009b2J}',
      meta({ host: 'a\nb' }),
      meta({ protocol: '\u0085' }),
    ]) {
      assert.equal((await json('/myRegistry/register', { body })).status, 400)
    }
    const refused = lines.filter(({ fields }) => fields['event'] === 'registry.refused')
    assert.equal(refused.length, 4)
    for (const { message } of refused) assert.doesNotMatch(message, /\p{Cc}/u)
    registry.close()
  })

  it('says that it is full', async () => {
    const { json, registry } = createFacesRig({}, { maxInstances: 1 })
    assert.equal((await json('/myRegistry/register', { body: meta() })).status, 200)
    const full = await json('/myRegistry/register', { body: meta({ port: 1 }) })
    assert.deepEqual(full, {
      status: 503,
      value: { error: 'the registry holds 1 leases, which is its limit' },
    })
    registry.close()
  })

  it('lists thousands, in pieces', async () => {
    const { ask, json, found, registry } = createFacesRig()
    for (let port = 1; port <= 2_345; port++) await json('/myRegistry/register', { body: meta({ port }) })
    assert.ok(typeof ask(findPath)?.body === 'object')
    assert.equal(new Set(await found()).size, 2_345)
    registry.close()
  })

  it('takes no name for more than a name', async () => {
    const { json, store, registry } = createFacesRig()
    const body = `{"__proto__": {"x": 1}, "protocol": "json", "host": "h", "port": 1, "parameters": {"__proto__": "p", "constructor": {"a": 1}}}`
    const { value } = await json('/myRegistry/register', { body })
    assert.ok(Object.hasOwn(value, '__proto__'))
    const [instance] = store.instances()
    assert.deepEqual(Object.entries(instance?.metadata ?? {}), [
      ['__proto__', 'p'],
      ['constructor', '{"a":1}'],
    ])
    const [listed] = (await json(findPath)).value
    assert.ok(Object.hasOwn(listed.parameters, '__proto__'))
    registry.close()
  })

  it('gives back whatever parameters there are, and every client can read what is kept', async () => {
    const parameters = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 })
    await fc.assert(
      fc.asyncProperty(
        parameters,
        fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue()),
        async (given, more) => {
          const { json, store, registry } = createFacesRig()
          const sent: Record<string, unknown> = JSON.parse(
            JSON.stringify({ ...more, ...meta({ parameters: given }) }),
          )
          const { status, value } = await json('/myRegistry/register', { body: sent })
          if (status === 200) {
            assert.deepEqual(value, { ...sent, status: true })
            assert.deepEqual((await json(findPath)).value, [{ ...sent, status: true }])
            for (const instance of store.instances()) decodeInstance(encodeInstance(instance), 'instance')
          } else {
            assert.equal(status, 400)
            assert.equal(store.size, 0)
          }
          registry.close()
        },
      ),
      { numRuns: 300 },
    )
  })

  it('answers whatever is sent', async () => {
    const { json, registry } = createFacesRig()
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.uint8Array(),
      fc
        .record({ protocol: fc.string(), host: fc.anything(), port: fc.anything() })
        .map((one) =>
          JSON.stringify(one, (_key, value) => (typeof value === 'bigint' ? String(value) : value)),
        ),
    )
    await fc.assert(
      fc.asyncProperty(body, async (sent) => {
        const { status, value } = await json('/myRegistry/register', { method: 'POST', body: sent })
        assert.ok(status === 200 || (status === 400 && typeof value.error === 'string'))
      }),
      { numRuns: 500 },
    )
    registry.close()
  })
})
