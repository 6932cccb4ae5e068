import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatEndpoint, parseEndpoint } from '../../core/endpoint.ts'
import { createFacesRig, textOf } from './faces-rig.suite.ts'

const minute = 60_000

describe('the registry of the Go systems', () => {
  it('lists nobody in both fields, which are there all the same', () => {
    const { ask, registry } = createFacesRig()
    for (const path of ['/_geerpc_/registry', '/_myrpc_/registry']) {
      const response = ask(path)
      assert.equal(response?.status, 200)
      assert.deepEqual(
        [response?.headers?.['x-geerpc-servers'], response?.headers?.['x-myrpc-servers']],
        ['', ''],
      )
    }
    registry.close()
  })

  it('takes either field on either path, and lists all of them in both, sorted', () => {
    const { post, servers, registry } = createFacesRig()
    const fields = ['x-geerpc-server', 'x-myrpc-server']
    const paths = ['/_geerpc_/registry', '/_myrpc_/registry']
    let port = 9
    for (const field of fields) {
      for (const path of paths) assert.equal(post(`tcp@10.0.0.5:${port--}`, { field, path }).status, 200)
    }
    const expected = ['tcp@10.0.0.5:6', 'tcp@10.0.0.5:7', 'tcp@10.0.0.5:8', 'tcp@10.0.0.5:9']
    for (const field of ['x-geerpc-servers', 'x-myrpc-servers']) {
      for (const path of paths) assert.deepEqual(servers({ field, path }), expected)
    }
    registry.close()
  })

  it('has other paths if it is told so, and no others', () => {
    const { ask, registry } = createFacesRig({ header: { paths: ['/rpc/registry'] } })
    assert.equal(ask('/rpc/registry')?.status, 200)
    assert.equal(ask('/_geerpc_/registry'), undefined)
    assert.equal(ask('/rpc/registry/more'), undefined)
    registry.close()
  })

  it('answers as they do where the field is missing, or the method another', () => {
    const { ask, post, registry } = createFacesRig()
    assert.equal(ask('/_geerpc_/registry', { method: 'POST' })?.status, 500)
    assert.equal(post('').status, 500)
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
      assert.equal(ask('/_geerpc_/registry', { method })?.status, 405)
    }
    registry.close()
  })

  it('keeps a server for five minutes, and longer with a heartbeat after four', async () => {
    const { clock, post, servers, registry } = createFacesRig()
    post('tcp@10.0.0.5:1')
    post('tcp@10.0.0.5:2')
    await clock.advance(4 * minute)
    post('tcp@10.0.0.5:1')
    await clock.advance(minute - 1)
    assert.equal(servers().length, 2)
    await clock.advance(1_000)
    assert.deepEqual(servers(), ['tcp@10.0.0.5:1'])
    await clock.advance(3 * minute)
    assert.deepEqual(servers(), ['tcp@10.0.0.5:1'])
    await clock.advance(minute)
    assert.deepEqual(servers(), [])
    registry.close()
  })

  it('keeps it for ever, or for another time, if it is told so', async () => {
    const forEver = createFacesRig({ header: { leaseMs: 0 } })
    const short = createFacesRig({ header: { leaseMs: 2_000 } })
    forEver.post('tcp@10.0.0.5:1')
    short.post('tcp@10.0.0.5:1')
    await forEver.clock.advance(24 * 60 * minute)
    await short.clock.advance(2_500)
    assert.deepEqual([forEver.servers().length, short.servers().length], [1, 0])
    forEver.registry.close()
    short.registry.close()
  })

  it('a heartbeat is no news, and one after a silence registers anew', async () => {
    const { clock, post, store, registry } = createFacesRig()
    post('tcp@10.0.0.5:1')
    const { revision } = store
    const [first] = store.instances()
    await clock.advance(4 * minute)
    post('tcp@10.0.0.5:1')
    assert.equal(store.revision, revision)
    await clock.advance(6 * minute)
    assert.equal(store.size, 0)
    post('tcp@10.0.0.5:1')
    const [again] = store.instances()
    assert.ok((again?.incarnation ?? 0) > (first?.incarnation ?? 0))
    registry.close()
  })

  it('lets twenty of them live on their heartbeats without a doubt', async () => {
    const { clock, post, servers, store, lines, registry } = createFacesRig()
    for (let second = 0; second < 1_200; second++) {
      for (let i = 0; i < 20; i++) if (second % 240 === i * 3) post(`tcp@10.0.0.5:${100 + i}`)
      await clock.advance(1_000)
    }
    assert.equal(servers().length, 20)
    assert.ok(!store.preserving)
    assert.deepEqual(
      lines.filter(({ level }) => level !== 'info'),
      [],
    )
    registry.close()
  })

  it('replaces "every address" by the one that it sees, and meets the same server again', () => {
    const { post, servers, store, registry } = createFacesRig()
    for (const address of ['tcp@[::]:43211', 'tcp@:43211', 'tcp@0.0.0.0:43211', 'tcp@10.0.0.7:43211']) {
      assert.equal(post(address, { from: '10.0.0.7' }).status, 200)
      assert.equal(post(address, { from: '::ffff:10.0.0.7' }).status, 200)
    }
    assert.deepEqual(servers(), ['tcp@10.0.0.7:43211'])
    assert.equal(store.leases, 1)
    post('tcp@[::]:43211', { from: '10.0.0.8' })
    post('tcp@[::]:43211', { from: 'fd00::8' })
    assert.deepEqual(servers(), ['tcp@10.0.0.7:43211', 'tcp@10.0.0.8:43211', 'tcp@[fd00::8]:43211'])
    registry.close()
  })

  it('keeps apart what the two systems mean by http@', () => {
    const { post, servers, store, registry } = createFacesRig()
    post('http@10.0.0.5:1')
    post('http@10.0.0.5:2', { field: 'x-myrpc-server' })
    post('tcp@10.0.0.5:3')
    assert.deepEqual(servers(), ['http@10.0.0.5:1', 'tcp@10.0.0.5:3'])
    assert.deepEqual(servers({ field: 'x-myrpc-servers' }), ['http@10.0.0.5:2', 'tcp@10.0.0.5:3'])
    const endpoints = [...store.instances()].map((one) => one.endpoints.map(formatEndpoint).join())
    assert.deepEqual(endpoints, [
      'geerpc-http+tcp://10.0.0.5:1',
      'myrpc-http+tcp://10.0.0.5:2',
      'geerpc+tcp://10.0.0.5:3',
    ])
    registry.close()
  })

  it('takes and shows unix sockets on its own machine alone', () => {
    const { post, servers, registry } = createFacesRig()
    assert.equal(post('unix@/tmp/rpc.sock', { from: '10.0.0.5' }).status, 400)
    assert.equal(post('unix@/tmp/rpc.sock', { from: '127.0.0.1' }).status, 200)
    assert.equal(post('unix@/tmp/other.sock', { from: undefined }).status, 200)
    assert.deepEqual(servers({ from: '10.0.0.5' }), [])
    assert.deepEqual(servers({ from: '::1' }), ['unix@/tmp/other.sock', 'unix@/tmp/rpc.sock'])
    registry.close()
  })

  it('knows what is offered where it is told so', () => {
    const services = { '10.0.0.5:1': ['Foo', 'Bar'], 'tcp@10.0.0.6:1': ['Foo'], '10.0.0.6': ['Baz'] }
    const { post, store, registry } = createFacesRig({ services })
    for (const address of ['10.0.0.5:1', '10.0.0.5:2', '10.0.0.6:1', '10.0.0.6:2']) post(`tcp@${address}`)
    const names = [...store.instances()].map((one) => one.services.map(({ name }) => name).join())
    assert.deepEqual(names, ['Foo,Bar', '', 'Foo', 'Baz'])
    registry.close()
  })

  it('refuses who may not write, and says what to do; the log hears of it, within bounds', async () => {
    const { post, servers, lines, store, registry } = createFacesRig()
    const response = post('tcp@10.0.0.5:1', { from: '203.0.113.9' })
    assert.equal(response.status, 403)
    assert.match(
      await textOf(response),
      /203\.0\.113\.9 may not register here .*faces: \{ allow: \[…, '203\.0\.113\.9'\] \}.* --allow 203\.0\.113\.9/,
    )
    for (let i = 0; i < 1_000; i++) post('tcp@10.0.0.5:1', { from: '2001:db8::9' })
    assert.equal(store.size, 0)
    assert.deepEqual(servers({ from: '203.0.113.9' }), [], 'reading is open')
    const refusals = lines.filter(({ fields }) => fields['event'] === 'registry.refused')
    assert.equal(refusals.length, 10)
    assert.equal(refusals[0]?.fields['peer'], '203.0.113.9:52000')
    registry.close()
  })

  it('lets write whom it is told to, and who comes by a unix socket', () => {
    const { post, registry } = createFacesRig({ allow: ['203.0.113.0/24'] })
    assert.equal(post('tcp@:1', { from: '203.0.113.9' }).status, 200)
    assert.equal(post('tcp@:1', { from: '127.0.0.1' }).status, 403)
    assert.equal(post('tcp@10.0.0.5:1', { from: undefined }).status, 200)
    registry.close()
  })

  const nonsense: readonly (readonly [address: string, why: RegExp])[] = [
    ['10.0.0.5:9999', /protocol@addr/],
    ['udp@10.0.0.5:9999', /protocol@addr/],
    ['tcp@', /protocol@addr/],
    ['tcp@10.0.0.5', /host:port/],
    ['tcp@10.0.0.5:99999', /port should be/],
    ['tcp@10.0.0.5:1, tcp@10.0.0.5:2', /port should be|host:port/],
    ['tcp@a b:1', /host should be/],
    ['tcp@a@b:1', /host should be/],
    [`tcp@${'a.'.repeat(60)}com:1`, /characters too long/],
    [`tcp@${'a'.repeat(600)}:1`, /has 606 characters, at most 512/],
    ['unix@tmp/rpc.sock', /whole path/],
    ['unix@/tmp/a,tcp@evil:1', /whole path/],
    ['unix@/tmp/a@b', /whole path/],
    ['tcp@10.0.0.5:1\u0001', /control characters/],
  ]
  for (const [address, why] of nonsense) {
    it(`refuses ${JSON.stringify(address.slice(0, 40))} with the reason`, async () => {
      const { post, store, registry } = createFacesRig()
      const response = post(address, { from: '127.0.0.1' })
      assert.equal(response.status, 400)
      assert.match(await textOf(response), why)
      assert.equal(store.size, 0)
      registry.close()
    })
  }

  it('says that it is full', () => {
    const { post, registry } = createFacesRig({}, { maxInstances: 2 })
    assert.deepEqual(
      [1, 2, 3, 1].map((port) => post(`tcp@10.0.0.5:${port}`).status),
      [200, 200, 503, 200],
    )
    registry.close()
  })

  it('never lists what would break the list, whoever registered it', () => {
    const { store, servers, registry } = createFacesRig()
    const endpoint = (text: string) => parseEndpoint(`geerpc+${text}`)
    const endpoints = ['tcp://a,b:1', 'tcp://a b:1', 'tcp://ä:1', 'tls://a:1', 'memory:a', 'tcp://ok:1'].map(
      endpoint,
    )
    const instance = { id: 'x', incarnation: 1, services: [], weight: 1, zone: undefined, metadata: {} }
    store.register({ id: 'x', incarnation: 1, ttlMs: 5_000 }, [{ ...instance, endpoints, status: 'up' }])
    assert.deepEqual(servers(), ['tcp@ok:1'])
    registry.close()
  })

  it('whatever is sent, it answers with a status, and lists only what can be dialled', () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .array(fc.constantFrom('tcp@', 'http@', 'unix@', '@', '[::]', ':1', '/a', ',', ' ', '10.0.0.1'), {
          maxLength: 6,
        })
        .map((pieces) => pieces.join('')),
    )
    const { post, servers, registry } = createFacesRig()
    fc.assert(
      fc.property(text, fc.constantFrom('127.0.0.1', '10.0.0.7', undefined), (address, from) => {
        assert.ok([200, 400, 500].includes(post(address, { from }).status))
      }),
      { numRuns: 1_000 },
    )
    for (const address of servers({ from: undefined })) {
      assert.match(address, /^(tcp@.+:\d+|http@.+:\d+|unix@\/.+)$/)
      parseEndpoint(address)
    }
    registry.close()
  })
})
