import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatEndpoint } from '../../core/endpoint.ts'
import type { Instance } from '../../core/instance.ts'
import { decodeInstance, type InstanceData } from '../../discovery/api/instance-data.ts'
import type { Query } from '../../discovery/resolver.ts'
import { createFacesRig, type FacesRig } from './faces-rig.suite.ts'

const host = '10.0.0.5'

/** What a Farcall process finds. */
function listed({ store }: FacesRig, query: Query): readonly InstanceData[] {
  return store.views.list(query, 0).instances
}

function farcall(id: string, endpoints: readonly string[], patch: Partial<InstanceData> = {}): Instance {
  const services = [{ name: 'math', methods: ['add'] }, { name: 'farcall.meta' }]
  return decodeInstance({ id, incarnation: 1, services, endpoints, ...patch }, 'instance')
}

function register(rig: FacesRig, instance: Instance): void {
  rig.store.register({ id: instance.id, incarnation: 1, ttlMs: 15_000 }, [instance])
}

/** How each kind of server registers, and the protocols that it then speaks at its port. */
const servers: Readonly<
  Record<string, { readonly speaks: readonly string[]; come(rig: FacesRig, port: number): unknown }>
> = {
  'a Farcall server': {
    speaks: ['farcall', 'http', 'geerpc', 'lab-json', 'lab-protobuf'],
    come(rig, port) {
      const all = ['', 'http+', 'geerpc+', 'lab-json+', 'lab-protobuf+']
      register(
        rig,
        farcall(
          'f',
          all.map((protocol) => `${protocol}tcp://${host}:${port}`),
        ),
      )
    },
  },
  'a Python server with JSON': {
    speaks: ['lab-json'],
    come: (rig, port) => rig.json('/myRegistry/register', { body: { protocol: 'json', host, port } }),
  },
  'a server that names another protocol to the JSON registry': {
    speaks: ['geerpc'],
    come: (rig, port) => rig.json('/myRegistry/register', { body: { protocol: 'geerpc', host, port } }),
  },
  'a Go server': {
    speaks: ['geerpc'],
    come: (rig, port) => rig.post(`tcp@${host}:${port}`),
  },
  'a Python server with protobuf': {
    speaks: ['lab-protobuf'],
    come: (rig, port) => rig.lab('register', { service: 'add', host, port }, host),
  },
}

/** Who looks for servers of `add`, and which protocols it can dial; each finds `host:port`. */
const clients: Readonly<
  Record<
    string,
    { readonly dials: string; find(rig: FacesRig): readonly string[] | Promise<readonly string[]> }
  >
> = {
  'a Python client with JSON': { dials: 'lab-json', find: (rig) => rig.found('json') },
  'a Go client': {
    dials: 'geerpc',
    find: (rig) => rig.servers().map((address) => address.replace('tcp@', '')),
  },
  'a Python client with protobuf': {
    dials: 'lab-protobuf',
    find: (rig) => rig.lab('discover', { service: 'add' }, host).map((one) => `${one.host}:${one.port}`),
  },
  ...Object.fromEntries(
    ['farcall', 'geerpc', 'lab-json', 'lab-protobuf'].map((protocol) => [
      `a Farcall client that speaks ${protocol}`,
      {
        dials: protocol,
        find: (rig: FacesRig) =>
          listed(rig, { service: '', method: 'add', protocol }).map(({ endpoints }) =>
            String(endpoints.find((one) => one === formatted(protocol, one))).replace(/^.*:\/\//, ''),
          ),
      },
    ]),
  ),
}

function formatted(protocol: string, endpoint: string): string {
  return `${protocol === 'farcall' ? '' : `${protocol}+`}tcp://${endpoint.replace(/^.*:\/\//, '')}`
}

describe('what is registered through one face is found through every other', () => {
  for (const [server, { speaks, come }] of Object.entries(servers)) {
    for (const [client, { dials, find }] of Object.entries(clients)) {
      const does = speaks.includes(dials) ? 'is found by' : 'is not shown to'
      it(`${server} ${does} ${client}`, async () => {
        const rig = createFacesRig()
        await come(rig, 8089)
        assert.deepEqual(await find(rig), speaks.includes(dials) ? [`${host}:8089`] : [])
        rig.registry.close()
      })
    }
  }

  it('and once only, where it came through several', async () => {
    const rig = createFacesRig()
    for (const { come } of Object.values(servers)) await come(rig, 8089)
    for (const { find } of Object.values(clients)) {
      assert.deepEqual([...new Set(await find(rig))], [`${host}:8089`])
    }
    assert.deepEqual([(await rig.found()).length, rig.servers().length], [1, 1])
    rig.registry.close()
  })

  it('with the parameters that were sent, where a Python server and ours are at one place', async () => {
    const rig = createFacesRig()
    const endpoints = [`lab-json+tcp://${host}:1`]
    register(rig, farcall('before', endpoints, { metadata: { a: 'b' } }))
    await rig.json('/myRegistry/register', {
      body: { protocol: 'json', host, port: 1, parameters: { n: 1 } },
    })
    register(rig, farcall('after', endpoints, { metadata: { a: 'b' } }))
    const { value } = await rig.json('/myRegistry/findAllInstances?proto=json')
    assert.deepEqual(
      value.map((one: { parameters: object }) => one.parameters),
      [{ n: 1 }],
    )
    rig.registry.close()
  })

  it('each with its own lease', async () => {
    const rig = createFacesRig()
    for (const [name, { come }] of Object.entries(servers))
      if (name !== 'a Farcall server') await come(rig, 8089)
    const kinds = () => [...rig.store.instances()].map(({ id }) => id.split(':')[0]).join()
    assert.equal(kinds(), 'json,json,header,protobuf')
    await rig.clock.advance(10_500)
    assert.equal(kinds(), 'header,protobuf')
    await rig.clock.advance(5_000)
    assert.equal(kinds(), 'header')
    await rig.clock.advance(300_000)
    assert.equal(kinds(), '')
    rig.registry.close()
  })

  it('a client of ours has the parameters of a Python server as metadata, and looks for them', async () => {
    const rig = createFacesRig()
    const parameters = { zone: 'north', services: ['math'], weight: 2 }
    await rig.json('/myRegistry/register', { body: { protocol: 'json', host, port: 1, parameters } })
    const find = (query: Query) => listed(rig, { protocol: 'lab-json', ...query }).length
    assert.equal(find({ service: 'math', metadata: { zone: 'north', weight: '2' } }), 1)
    assert.equal(find({ service: 'math', metadata: { zone: 'south' } }), 0)
    assert.equal(find({ service: 'text' }), 0, 'it has said what it offers')
    rig.registry.close()
  })

  it('a server that did not say what it offers is a candidate for everything', () => {
    const rig = createFacesRig()
    rig.post(`tcp@${host}:1`)
    assert.equal(listed(rig, { service: 'Foo', protocol: 'geerpc' }).length, 1)
    assert.equal(listed(rig, { service: 'Foo', protocol: 'lab-json' }).length, 0)
    rig.registry.close()
  })

  it('a Python client has as parameters what a Farcall server would say there of itself', async () => {
    const rig = createFacesRig()
    const metadata = { tenant: 'a', größe: '€' }
    const instance = farcall(
      'f',
      [`lab-json+tcp://${host}:1`, 'lab-json+unix:/x', 'lab-json+tls://a:1', `tcp://${host}:1`],
      { metadata, zone: 'north', weight: 2 },
    )
    register(rig, instance)
    const { value } = await rig.json('/myRegistry/findAllInstances?proto=json')
    assert.equal(value.length, 1)
    const [{ parameters, ...where }] = value
    const { farcall: details, ...plain } = parameters
    assert.deepEqual(where, { protocol: 'json', host, port: 1, status: true })
    assert.deepEqual(plain, { ...metadata, id: 'f', services: 'math', weight: '2', zone: 'north' })
    assert.deepEqual(JSON.parse(details).services, instance.services)
    const again = await rig.json('/myRegistry/findAllInstances?proto=farcall')
    assert.deepEqual(again.value[0].parameters, parameters, 'so that both are seen to be one')
    rig.registry.close()
  })
})

describe('who is left out of what older clients are told, as long as there are others', () => {
  const endpointsAt = (port: number) =>
    ['lab-json', 'geerpc', 'lab-protobuf'].map((protocol) => `${protocol}+tcp://${host}:${port}`)
  const ports = async (rig: FacesRig) => {
    const found = [
      await rig.found(),
      rig.servers(),
      rig.lab('discover', { service: 'add' }, host).map((one) => `:${one.port}`),
    ]
    const portsOf = (list: readonly string[]) => list.map((one) => one.replace(/^.*:/, '')).sort()
    const all = found.map((list) => portsOf(list).join())
    assert.equal(new Set(all).size, 1)
    return all[0]
  }

  for (const [who, patch] of Object.entries({
    'who stops': { status: 'draining' },
    'who has no weight': { weight: 0 },
  } as const)) {
    it(who, async () => {
      const rig = createFacesRig()
      register(rig, farcall('a', endpointsAt(1), patch))
      assert.equal(await ports(rig), '1')
      register(rig, farcall('b', endpointsAt(2)))
      assert.equal(await ports(rig), '2')
      rig.registry.close()
    })
  }

  it('who went silent together with many', async () => {
    const rig = createFacesRig()
    for (let port = 1; port <= 12; port++) register(rig, farcall(`${port}`, endpointsAt(port)))
    await rig.clock.advance(10_000)
    for (let port = 1; port <= 3; port++) rig.store.renew([{ id: `${port}`, incarnation: 1 }])
    await rig.clock.advance(6_000)
    assert.equal(rig.store.size, 12)
    assert.equal(await ports(rig), '1,2,3')
    await rig.clock.advance(10_000)
    assert.equal((await ports(rig))?.split(',').length, 12)
    assert.ok([...rig.store.instances()].every(({ endpoints }) => endpoints.map(formatEndpoint).length === 3))
    rig.registry.close()
  })
})

describe('options of the faces', () => {
  const refused: readonly (readonly [options: unknown, why: RegExp])[] = [
    [{ jsno: {} }, /unknown option 'jsno' of faces; known: json, header, protobuf, allow, services/],
    [{ json: { leaseS: 1 } }, /unknown option 'leaseS' of faces\.json; known: leaseMs, path/],
    [{ protobuf: { path: '/x' } }, /unknown option 'path' of faces\.protobuf; known: leaseMs/],
    [{ json: true }, /faces\.json must be an object, or false/],
    [
      { header: { leaseMs: -1 } },
      /faces\.header\.leaseMs must be a number of milliseconds, or 0 for no end, got -1/,
    ],
    [{ header: { leaseMs: Number.POSITIVE_INFINITY } }, /faces\.header\.leaseMs must be/],
    [{ header: { leaseMs: '5m' } }, /faces\.header\.leaseMs must be/],
    [{ json: { path: 'myRegistry' } }, /faces\.json\.path: 'myRegistry' should begin with \//],
    [{ json: { path: '/' } }, /faces\.json\.path: '\/' should begin with \/ and not end with it/],
    [{ header: { paths: '/x' } }, /faces\.header\.paths must be a list of texts/],
    [{ header: { paths: ['/x/'] } }, /faces\.header\.paths: '\/x\/'/],
    [{ allow: '10.0.0.0/8' }, /faces\.allow must be a list of texts/],
    [{ allow: ['ten'] }, /faces\.allow: 'ten' is no range of addresses/],
    [{ services: { 'a b': ['Foo'] } }, /faces\.services: 'a b' is no host or host:port/],
    [{ services: { '0.0.0.0:1': ['Foo'] } }, /faces\.services: '0\.0\.0\.0:1' is no host or host:port/],
    [{ services: { a: [] } }, /faces\.services: 'a' must have a list of names/],
    [{ services: { a: 'Foo' } }, /faces\.services: 'a' must have a list of names/],
  ]
  for (const [options, message] of refused) {
    it(`${JSON.stringify(options)} makes no sense`, () => {
      assert.throws(() => createFacesRig(options as object), { code: 'invalid_argument', message })
    })
  }

  it('a host of `services` may be an IPv6 address, with a port or without', () => {
    const rig = createFacesRig({
      services: { 'fd00::5': ['A'], '[fd00::6]:1': ['B'], 'tcp@[fd00::7]:1': ['C'] },
    })
    for (const address of ['[fd00::5]:9', '[fd00::6]:1', '[fd00::7]:1']) rig.post(`tcp@${address}`)
    assert.equal(
      [...rig.store.instances()].flatMap(({ services }) => services.map(({ name }) => name)).join(),
      'A,B,C',
    )
    rig.registry.close()
  })
})
