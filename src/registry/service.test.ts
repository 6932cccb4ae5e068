import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Call } from '../core/call.ts'
import { runInCall } from '../core/context.ts'
import { RpcError } from '../core/error.ts'
import { internalService } from '../core/service.ts'
import { seededRandom } from '../core/random.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { createRegistry, type Registry } from './index.ts'

const data = { id: 'x', incarnation: 1, services: [{ name: 'math' }], endpoints: ['tcp://10.0.0.5:1'] }

function create() {
  const clock = createVirtualClock()
  const registry = createRegistry({ clock, random: seededRandom(1) })
  const call = (method: string, request?: unknown): any => {
    return (registry.methods[method as keyof Registry['methods']].fn as (request: unknown) => unknown)(
      request,
    )
  }
  return { clock, registry, call }
}

describe('registry service', () => {
  it('is a service like any other', () => {
    const { registry } = create()
    const service = internalService('farcall.registry', registry.methods)
    assert.equal(service.methods.get('watch')?.info.output, 'stream')
    assert.ok([...service.methods.values()].every((method) => method.info.idempotent))
    registry.close()
  })

  it('tells from where it is called', () => {
    const { registry, call, clock } = create()
    assert.deepEqual(call('origin'), {})
    const seen = (transport: string, address: string) => {
      const peer = { transport, address }
      const around = new Call({ clock, service: '', method: '', args: { list: [] }, deadline: 1, peer })
      return runInCall(around, () => call('origin')).host
    }
    assert.equal(seen('tcp', '10.0.0.5:51234'), '10.0.0.5')
    assert.equal(seen('tls', '[::ffff:10.0.0.5]:51234'), '10.0.0.5')
    assert.equal(seen('tcp', '[fd00::5]:51234'), 'fd00::5')
    assert.equal(seen('unix', '/tmp/x'), undefined)
    registry.close()
  })

  const refused: readonly [string, unknown, RegExp][] = [
    ['no request', undefined, /request should be an object, got undefined/],
    ['no lease', { instances: [] }, /lease should be an object/],
    ['an empty id', { lease: { id: '' }, instances: [] }, /lease\.id should be a text that is not empty/],
    ['a control character', { lease: { id: 'a\nb' }, instances: [] }, /lease\.id has control characters/],
    [
      'a long id',
      { lease: { id: 'a'.repeat(129) }, instances: [] },
      /lease\.id has 129 characters, at most 128/,
    ],
    [
      'a fraction',
      { lease: { id: 'a', incarnation: 1.5 }, instances: [] },
      /incarnation should be a whole number/,
    ],
    [
      'a short time',
      { lease: { id: 'a', ttlMs: 2_999 }, instances: [] },
      /ttlMs should be a number from 3000/,
    ],
    [
      'a long time',
      { lease: { id: 'a', ttlMs: 3_600_001 }, instances: [] },
      /ttlMs should be a number from 3000/,
    ],
    ['NaN', { lease: { id: 'a', ttlMs: Number.NaN }, instances: [] }, /ttlMs should be a number/],
    [
      'many',
      { lease: { id: 'a' }, instances: Array(257).fill(data) },
      /instances has 257 items, at most 256/,
    ],
    ['twice', { lease: { id: 'a' }, instances: [data, data] }, /instances has the id 'x' twice/],
    ['no list', { lease: { id: 'a' }, instances: { length: 1 } }, /instances should be a list/],
    ...(
      [
        [{ endpoints: [] }, /instances\[0\]\.endpoints is empty/],
        [{ endpoints: Array(65).fill('tcp://a:1') }, /endpoints has 65 items, at most 64/],
        [
          { endpoints: ['tcp://0.0.0.0:8089'] },
          /endpoints\[0\] .*0\.0\.0\.0 is no address of one machine: advertise/,
        ],
        [{ endpoints: ['tcp://[::]:8089'] }, /endpoints\[0\] .*no address of one machine/],
        [{ endpoints: ['tcp://a:0'] }, /port 0 cannot be connected to/],
        [{ endpoints: ['http//a'] }, /endpoints\[0\] cannot be read: 'http\/\/a' is no endpoint/],
        [{ services: Array(1_001).fill({ name: 'a' }) }, /services has 1001 items, at most 1000/],
        [{ services: [{}] }, /services\[0\]\.name should be a text/],
        [{ services: [{ name: '' }] }, /services\[0\]\.name should be a text that is not empty/],
        [{ services: [{ name: '', methods: [] }] }, /services\[0\]\.name should be a text that is not empty/],
        [{ metadata: { a: 'x'.repeat(4_096) } }, /metadata is larger than the 4096 bytes/],
        [{ metadata: { a: 1 } }, /metadata\.a should be a text, got 1/],
        [{ weight: -1 }, /weight should be a number from 0/],
        [{ status: 'asleep' }, /status should be 'up' or 'draining'/],
        [{ zone: 7 }, /zone should be a text/],
      ] as const
    ).map(([patch, message]): [string, unknown, RegExp] => [
      JSON.stringify(patch).slice(0, 60),
      { lease: { id: 'a' }, instances: [{ ...data, ...patch }] },
      message,
    ]),
  ]
  for (const [what, request, message] of refused) {
    it(`refuses ${what}, and says where`, () => {
      const { registry, call } = create()
      assert.throws(() => call('register', request), { code: 'invalid_argument', message })
      assert.deepEqual([registry.store.size, registry.store.leases], [0, 0])
      registry.close()
    })
  }

  it('takes methods that are in no service, and finds them by their names alone', () => {
    const { registry, call } = create()
    const services = [{ name: '', methods: ['add'] }]
    call('register', { lease: { id: 'a' }, instances: [{ ...data, services }] })
    const found = (query: object) => call('list', { query }).instances.length
    assert.equal(found({ service: '', method: 'add' }), 1)
    assert.equal(found({ service: '', method: 'sub' }), 0)
    assert.equal(found({ service: 'Calculator' }), 0)
    registry.close()
  })

  it('names that mean something to JavaScript are names', () => {
    const { registry, call } = create()
    for (const name of ['__proto__', 'constructor', 'then', 'toString', 'hasOwnProperty']) {
      const metadata = JSON.parse(`{"${name}":"${name}"}`)
      call('register', {
        lease: { id: name },
        instances: [{ ...data, id: name, services: [{ name }], metadata }],
      })
      const { instances } = call('list', { query: { service: name, metadata } })
      assert.equal(instances.length, 1)
      assert.equal(instances[0].id, name)
      assert.deepEqual(Object.entries(instances[0].metadata), [[name, name]])
      assert.deepEqual(
        call('list', { query: { metadata: { [name === 'then' ? 'x' : 'then']: '' } } }).instances,
        [],
      )
    }
    assert.equal(({} as Record<string, unknown>)['x'], undefined)
    registry.close()
  })

  it('no request stops it, whatever is in it', async () => {
    const { registry, call, clock } = create()
    const anything = fc.anything({ withBigInt: true, withMap: true, withNullPrototype: true })
    const shaped = fc.record(
      {
        lease: fc.oneof(anything, fc.record({ id: fc.string(), incarnation: fc.nat(), ttlMs: anything })),
        leases: fc.oneof(anything, fc.array(anything)),
        instances: fc.oneof(
          anything,
          fc.array(fc.record({ id: anything, endpoints: anything, services: anything })),
        ),
        query: anything,
        from: anything,
        after: anything,
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(registry.methods)),
        fc.oneof(anything, shaped),
        async (method, request) => {
          try {
            const reply = await call(method, request)
            await reply?.return?.()
          } catch (error) {
            assert.ok(RpcError.is(error), String(error))
            assert.ok(error.code === 'invalid_argument' || error.code === 'aborted', error.message)
          }
        },
      ),
      { seed: 7, numRuns: 2_000 },
    )
    await clock.advance(60_000)
    call('register', { lease: { id: 'a' }, instances: [data] })
    assert.equal(call('list').instances.length, 1)
    registry.close()
  })

  it('a long list comes in pages, none of them large', () => {
    const { registry, call } = create()
    const services = Array.from({ length: 1_000 }, (_, i) => ({ name: `service-${i}`.padEnd(60, 'x') }))
    for (let i = 0; i < 100; i++)
      call('register', { lease: { id: `l${i}` }, instances: [{ ...data, id: `i${i}`, services }] })
    const ids = new Set<string>()
    let pages = 0
    for (let after: number | undefined = 0; after !== undefined; pages++) {
      const page: any = call('list', { after })
      assert.ok(JSON.stringify(page.instances).length < 1_000_000)
      for (const one of page.instances) ids.add(one.id)
      after = page.next
    }
    assert.equal(ids.size, 100)
    assert.ok(pages > 5)
    registry.close()
  })

  it('looks for expired leases by itself, and stops when it is closed', async () => {
    const { registry, call, clock } = create()
    call('register', { lease: { id: 'a', ttlMs: 3_000 }, instances: [data] })
    await clock.advance(3_500)
    assert.equal(registry.store.size, 0)
    const watch = call('watch')[Symbol.asyncIterator]()
    await watch.next()
    const waiting = watch.next()
    registry.close()
    registry.close()
    assert.equal((await waiting).done, true)
    assert.equal(clock.timers + clock.backgroundTimers, 0)
  })

  it('a listener that throws stops nothing', async () => {
    const clock = createVirtualClock()
    const onEvent = () => {
      throw new Error('full disk')
    }
    const registry = createRegistry({ clock, random: seededRandom(1), onEvent })
    registry.store.register({ id: 'a', incarnation: 1, ttlMs: 3_000 }, [])
    await clock.advance(10_000)
    assert.equal(registry.store.leases, 0)
    registry.close()
  })
})
