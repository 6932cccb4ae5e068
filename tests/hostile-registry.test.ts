import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { type Client, connect, RpcError, serve, service } from 'farcall'
import { attack } from './support/attack.ts'
import { type Bystander, bystander } from './support/bystander.ts'
import { hostileBytes, hostileNames, type Known } from './support/hostile-bytes.ts'
import { startProgram, type TestProcess } from './support/process.ts'

const known: Known = { service: 'farcall.registry', method: 'list', args: [] }
const math = service('math', { add: (a: number, b: number) => a + b })

type Unary = (...args: readonly unknown[]) => Promise<unknown>
type RegistryMethods = Record<
  'register' | 'update' | 'renew' | 'drain' | 'unregister' | 'list' | 'origin',
  Unary
> & {
  watch(...args: readonly unknown[]): AsyncIterable<unknown>
}

// So that what is kept shows, and what is only not collected yet does not.
const heap = { NODE_OPTIONS: '--max-old-space-size=128' }

// A registry in a process of its own, a server that registers there, and somebody who finds it there and calls it.
async function attacked() {
  await using stack = new AsyncDisposableStack()
  const registry: TestProcess = stack.use(startProgram('processes/registry.ts', [], heap))
  const target = (await registry.line(/ready (\S+)/))[1] as string
  const at = target.replace('tcp:', 'registry:')
  const server = stack.use(await serve([math], { port: 0, registry: at, id: 'good', ttlMs: 3000 }))
  await server.registered
  const client = stack.use(connect(at))
  const found: Client<typeof math> = client.service<typeof math>('math')
  const other: Bystander = stack.use(
    bystander(async (n) => {
      assert.equal(await found.add(n, 1), n + 1)
    }),
  )
  await other.more(100)
  const direct = stack.use(connect(target))
  const asked = direct.service<RegistryMethods>('farcall.registry') as unknown as RegistryMethods
  const all = stack.move()
  return { registry, target, at, other, asked, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** Who comes anew finds the server. */
async function isFound(at: string): Promise<void> {
  await using newcomer = connect(at)
  assert.equal(await newcomer.service<typeof math>('math').add(2, 3), 5)
}

function rssMiB(pid: number | undefined): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024
}

const lease = { id: 'hostile', incarnation: 1, ttlMs: 3000 }
const instance = { id: 'i', incarnation: 1, services: [], endpoints: ['tcp://10.0.0.1:80'], metadata: {} }
const many = (count: number, value: unknown) => Array.from({ length: count }, () => value)
const nested = (depth: number) => {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = { lease: value, query: value, instances: [] }
  return value
}

// No object, or one that is nothing like a request: wrong for each method that takes one.
const neverRequests: readonly [string, unknown][] = [
  ['a number', 7],
  ['not a number', Number.NaN],
  ['a bigint', 2n ** 200n],
  ['a text', 'x'],
  ['a long text', 'x'.repeat(1_000_000)],
  ['true', true],
  ['bytes', new Uint8Array(100_000)],
  ['a list', []],
  ['a huge list', many(500_000, 0)],
]

const noLeases: readonly [string, unknown][] = [
  ['null', null],
  ['undefined', undefined],
  ['an empty object', {}],
  ['a map', new Map([['lease', new Map([['id', new Map()]])]])],
  ['a date', new Date(0)],
  ['an error', new Error('x')],
  ['an object 60 deep', nested(15)],
  ['hostile names', Object.fromEntries(hostileNames.map((name) => [name, { lease }]))],
  ['an inherited lease', { ['__proto__']: { lease, instances: [], leases: [] } }],
  ...[null, 0, 'x', [], {}, { id: 1 }, { id: '' }, { id: 'a\nb' }, { id: 'x'.repeat(1000) }].map(
    (value): [string, unknown] => [`the lease ${JSON.stringify(value).slice(0, 20)}`, { lease: value }],
  ),
  ...[-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', {}, 2n ** 100n].map(
    (incarnation): [string, unknown] => [
      `the incarnation ${inspect(incarnation)}`,
      { lease: { id: 'a', incarnation }, instances: [] },
    ],
  ),
]

// What is wrong with instances and times, for who registers.
const noRegistrations: readonly [string, unknown][] = [
  ...[-1, 0, Number.NaN, 1e308, 'soon', {}].map((ttlMs): [string, unknown] => [
    `a lease of ${inspect(ttlMs)} ms`,
    { lease: { ...lease, ttlMs }, instances: [instance] },
  ]),
  ...[null, 7, 'x', {}, [null], [7], [[]], [{}], many(100_000, instance)].map(
    (instances): [string, unknown] => [
      `the instances ${JSON.stringify(instances).slice(0, 20)}`,
      { lease, instances },
    ],
  ),
  ['an instance twice', { lease, instances: [instance, instance] }],
  ...[
    null,
    [],
    'tcp://10.0.0.1:80',
    [7],
    [''],
    ['x'],
    ['tcp://'],
    ['tcp://h:99999'],
    ['tcp://h:0'],
    ['tcp://0.0.0.0:80'],
    ['tcp://[::]:80'],
    ['tcp://[::ffff:0.0.0.0]:80'],
    ['tcp://a\nb:80'],
    [`tcp://${'h'.repeat(600)}:80`],
    many(65, 'tcp://h:80'),
  ].map((endpoints): [string, unknown] => [
    `the endpoints ${JSON.stringify(endpoints).slice(0, 30)}`,
    { lease, instances: [{ ...instance, endpoints }] },
  ]),
  ...Object.entries({
    id: null,
    incarnation: -1,
    services: [{ name: 7 }],
    weight: -1,
    zone: {},
    metadata: { a: 1 },
    status: 'constructor',
  }).map(([field, value]): [string, unknown] => [
    `the ${field} ${JSON.stringify(value)}`,
    { lease, instances: [{ ...instance, [field]: value }] },
  ]),
  ['a million services', { lease, instances: [{ ...instance, services: many(500_000, { name: 'a' }) }] }],
  [
    'a million methods',
    { lease, instances: [{ ...instance, services: [{ name: 'a', methods: many(500_000, 'b') }] }] },
  ],
  ['much metadata', { lease, instances: [{ ...instance, metadata: { a: 'x'.repeat(5000) } }] }],
]

const noQueries: readonly [string, unknown][] = [
  ...[7, 'x', [], { service: {} }, { method: {} }, { zone: 1 }, { version: 'x'.repeat(1000) }].map(
    (query): [string, unknown] => [`the query ${JSON.stringify(query).slice(0, 30)}`, { query }],
  ),
  ['metadata that is no text', { query: { metadata: { a: {} } } }],
  ['much metadata', { query: { metadata: { a: 'x'.repeat(5000) } } }],
]

const bodies: Record<keyof RegistryMethods, readonly [string, unknown][]> = {
  register: [...neverRequests, ...noLeases, ...noRegistrations],
  update: [...neverRequests, ...noLeases, ...noRegistrations],
  renew: [
    ...neverRequests,
    ...[null, 7, {}, [null], [{}], [{ id: 7 }], many(20_000, { id: 'a' })].map(
      (leases): [string, unknown] => [`the leases ${JSON.stringify(leases).slice(0, 20)}`, { leases }],
    ),
  ],
  drain: [...neverRequests, ...noLeases, ['ids that are none', { lease, instances: [7] }]],
  unregister: [...neverRequests, ...noLeases, ['ids that are no list', { lease, instances: 'i' }]],
  list: [
    ...neverRequests,
    ...noQueries,
    ...[-1, 1.5, 'x', {}].map((page): [string, unknown] => [`after ${inspect(page)}`, { after: page }]),
  ],
  watch: [
    ...neverRequests,
    ...noQueries,
    ...[7, {}, '', 'x'.repeat(1000)].map((from): [string, unknown] => [
      `from ${inspect(from).slice(0, 10)}`,
      { from },
    ]),
  ],
  origin: neverRequests,
}

describe('a registry and hostile peers', { timeout: 60_000 }, () => {
  let at: Awaited<ReturnType<typeof attacked>>
  let heldBefore = 0
  before(
    async () => {
      at = await attacked()
      heldBefore = rssMiB(at.registry.child.pid)
    },
    { timeout: 20_000 },
  )
  after(
    async () => {
      try {
        await at.other.more(100)
        await isFound(at.at)
        const grown = rssMiB(at.registry.child.pid) - heldBefore
        assert.ok(grown < 256, `the registry has grown by ${grown.toFixed()} MiB`)
        await at.other.stop()
        assert.deepEqual(await at.registry.stop('SIGTERM'), { code: 0, signal: null }, at.registry.output)
        assert.doesNotMatch(at.registry.output, /uncaught|unhandled|TypeError|RangeError/i)
      } finally {
        await at[Symbol.asyncDispose]()
      }
    },
    { timeout: 20_000 },
  )

  for (const hostile of hostileBytes(known)) {
    it(`answers ${hostile.what}`, async () => {
      await attack(at.target, hostile, known)
      await at.other.more(10)
    })
  }

  for (const [method, wrong] of Object.entries(bodies) as [keyof RegistryMethods, [string, unknown][]][]) {
    it(`${method} refuses ${wrong.length} requests that are wrong`, async () => {
      for (const [what, body] of wrong) {
        await refuses(`${method} with ${what}`, () => ask(at.asked, method, [body]))
      }
      await refuses(`${method} with ten arguments`, () => ask(at.asked, method, many(10, {})))
      await at.other.more(10)
      await isFound(at.at)
    })
  }

  it('takes hostile names as ids, services and zones like any other', async () => {
    const instances = hostileNames.map((name) => ({
      ...instance,
      id: name,
      zone: name,
      services: [{ name }],
      metadata: { [name]: name },
    }))
    await at.asked.register({ lease: { ...lease, id: '__proto__' }, instances })
    for (const name of hostileNames) {
      const query = { service: name, zone: name, metadata: { [name]: name } }
      const { instances: found } = (await at.asked.list({ query })) as { instances: { id: string }[] }
      assert.deepEqual(
        found.map(({ id }) => id),
        [name],
      )
    }
    await at.asked.unregister({ lease: { ...lease, id: '__proto__' } })
    await isFound(at.at)
  })
})

async function ask(asked: RegistryMethods, method: keyof RegistryMethods, args: readonly unknown[]) {
  if (method !== 'watch') return await asked[method](...args)
  for await (const item of asked.watch(...args)) return item
  return undefined
}

async function refuses(what: string, act: () => Promise<unknown>): Promise<void> {
  const refused = await act().then(
    (value) => assert.fail(`${what} was accepted: ${JSON.stringify(value)?.slice(0, 100)}`),
    (error: unknown) => error as RpcError,
  )
  assert.ok(refused instanceof RpcError, `${what}: ${String(refused)}`)
  const expected = ['invalid_argument', 'resource_exhausted']
  assert.ok(expected.includes(refused.code), `${what}: ${refused.code}: ${refused.message}`)
}
