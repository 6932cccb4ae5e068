import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RpcError } from '../core/error.ts'
import { service } from '../core/service.ts'
import { createRig } from './fixtures/rig.ts'
import { resolveServeOptions, type ServeOptions } from './options.ts'

test('the defaults', () => {
  const options = resolveServeOptions()
  assert.deepEqual(options.listen, [
    { address: { transport: 'tcp', host: '127.0.0.1', port: 8089 }, protocol: undefined },
  ])
  assert.equal(options.ttlMs, 15_000)
  assert.equal(options.drainTimeoutMs, 30_000)
  assert.ok(Object.isFrozen(options))
})

test('where to listen, in every spelling', () => {
  const places = (listen: ServeOptions['listen']) => resolveServeOptions({ listen }).listen
  assert.deepEqual(places('tcp://[::]:0')[0]?.address, { transport: 'tcp', host: '::', port: 0 })
  assert.deepEqual(places('0.0.0.0:9')[0]?.address, { transport: 'tcp', host: '0.0.0.0', port: 9 })
  assert.deepEqual(places('localhost:9')[0]?.address, { transport: 'tcp', host: 'localhost', port: 9 })
  assert.deepEqual(places('[::1]:9')[0]?.address, { transport: 'tcp', host: '::1', port: 9 })
  assert.deepEqual(places('unix:/run/a.sock')[0]?.address, { transport: 'unix', path: '/run/a.sock' })
  assert.equal(places('json-rpc+tcp://h:1')[0]?.protocol, 'json-rpc')
  assert.equal(places(['memory:a', 'unix:/b']).length, 2)
  assert.deepEqual(resolveServeOptions({ host: '[::]', port: 1 }).listen[0]?.address, {
    transport: 'tcp',
    host: '::',
    port: 1,
  })
})

const wrong: [unknown, RegExp][] = [
  [{ hots: '::' }, /unknown option 'hots'; known: host/],
  [{ __proto__: null, constructor: 1 }, /unknown option 'constructor'/],
  [{ port: 70_000 }, /port must be 0 to 65535/],
  [{ port: '8089' }, /port must be/],
  [{ port: 1, listen: 'memory:a' }, /either 'listen' or/],
  [{ listen: [] }, /'listen' is empty/],
  [{ listen: 'http://x' }, /is no endpoint/],
  [{ listen: 'tls://h:1' }, /certificate/],
  [{ ttlMs: 0 }, /ttlMs must be a number of at least 1/],
  [{ drainTimeoutMs: Number.NaN }, /drainTimeoutMs/],
  [{ weight: -1 }, /weight/],
  [{ id: '' }, /id must be a text/],
  [{ metadata: { a: 1 } }, /metadata 'a' must be a text/],
  [{ layers: [1] }, /layers\[0\] must be a function/],
  [{ limits: { maxFoo: 1 } }, /unknown limit/],
  [{ advertise: '0.0.0.0' }, /nobody can dial/],
  [{ advertise: 'tcp://[::]:1' }, /nobody can dial/],
  [{ advertise: 'a b c/d' }, /is no endpoint/],
]

for (const [options, message] of wrong) {
  test(`bad options: ${JSON.stringify(options)}`, () => {
    assert.throws(
      () => resolveServeOptions(options as ServeOptions),
      (error) => RpcError.is(error) && error.code === 'invalid_argument' && message.test(error.message),
    )
  })
}

test('a protocol, transport or registry that is not there is named when the server is made', async () => {
  await using rig = createRig()
  const math = service('math', { add: () => 1 })
  assert.throws(() => rig.server([math], { protocols: ['gopher'] }), /unknown protocol 'gopher'; known: line/)
  assert.throws(() => rig.server([math], { listen: 'gopher+memory:a' }), /unknown protocol 'gopher'/)
  assert.throws(() => rig.server([math], { listen: 'unix:/a' }), /no transport 'unix' here, only memory/)
  assert.throws(() => rig.server([math], { registry: 'etcd://a:1' }), /is no registry.*known are fake:/)
  assert.throws(
    () => rig.server([math, math]),
    (error) => RpcError.is(error) && error.code === 'already_exists',
  )
})
