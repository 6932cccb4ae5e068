import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RpcError } from '../../core/error.ts'
import { createFacesRig, type FacesRig } from './faces-rig.suite.ts'

const here = '10.0.0.7'
const at = (port: number, host = '10.0.0.5') => ({ host, port })
const find = ({ lab }: FacesRig, service: string) => lab('discover', { service }, here)

describe('the registry of the Python system with protobuf', () => {
  it('a server registers its methods one by one, and is found by each', () => {
    const rig = createFacesRig()
    for (const service of ['add', 'sub', 'add']) rig.lab('register', { service, ...at(1) }, here)
    rig.lab('register', { service: 'add', ...at(2) }, here)
    assert.deepEqual(find(rig, 'add'), [at(1), at(2)])
    assert.deepEqual(find(rig, 'sub'), [at(1)])
    assert.deepEqual(find(rig, 'mul'), [])
    const [first] = rig.store.instances()
    assert.deepEqual(first?.services, [{ name: '', methods: ['add', 'sub'] }])
    rig.registry.close()
  })

  it('also by the name of a service and a method', () => {
    const rig = createFacesRig()
    for (const service of ['Calculator.add', 'Calculator.sub', 'echo'])
      rig.lab('register', { service, ...at(1) }, here)
    const [only] = rig.store.instances()
    assert.deepEqual(only?.services, [
      { name: 'Calculator', methods: ['add', 'sub'] },
      { name: '', methods: ['echo'] },
    ])
    for (const name of ['Calculator.add', 'Calculator', 'add', 'echo'])
      assert.equal(find(rig, name).length, 1)
    for (const name of [
      'Calculator.echo',
      'Calculator.mul',
      'Other.add',
      'calculator',
      '.add',
      'Calculator.',
    ]) {
      assert.deepEqual(find(rig, name), [], name)
    }
    rig.registry.close()
  })

  it('lives for fifteen seconds by its heartbeats, and is asked to register again after that', async () => {
    const rig = createFacesRig()
    assert.equal(rig.lab('heartbeat', at(1), here), false)
    rig.lab('register', { service: 'add', ...at(1) }, here)
    await rig.clock.advance(14_000)
    assert.equal(rig.lab('heartbeat', at(1), here), true)
    await rig.clock.advance(14_000)
    assert.deepEqual(find(rig, 'add'), [at(1)])
    await rig.clock.advance(1_500)
    assert.deepEqual(find(rig, 'add'), [])
    assert.equal(rig.lab('heartbeat', at(1), here), false)
    rig.lab('register', { service: 'sub', ...at(1) }, here)
    assert.deepEqual([find(rig, 'add'), find(rig, 'sub')], [[], [at(1)]])
    rig.registry.close()
  })

  it('or for ever, if it is told so', async () => {
    const rig = createFacesRig({ protobuf: { leaseMs: 0 } })
    rig.lab('register', { service: 'add', ...at(1) }, here)
    await rig.clock.advance(3_600_000)
    assert.equal(rig.lab('heartbeat', at(1), here), true)
    rig.registry.close()
  })

  it('replaces "every address" by the one that it sees; heartbeats meet the same server', () => {
    const rig = createFacesRig()
    for (const host of ['0.0.0.0', '::', '', undefined])
      rig.lab('register', { service: 'add', host, port: 1 }, here)
    assert.deepEqual(find(rig, 'add'), [at(1, here)])
    assert.equal(rig.lab('heartbeat', { host: '0.0.0.0', port: 1 }, here), true)
    assert.equal(rig.lab('heartbeat', at(1, here), '10.0.0.8'), true)
    assert.equal(rig.lab('heartbeat', { host: '0.0.0.0', port: 1 }, '10.0.0.8'), false)
    rig.registry.close()
  })

  it('lets only those write who may; anybody reads', () => {
    const rig = createFacesRig()
    const stranger = '203.0.113.9'
    const refused = { code: 'permission_denied', message: /faces: \{ allow: / }
    assert.throws(() => rig.lab('register', { service: 'add', ...at(1) }, stranger), refused)
    assert.throws(() => rig.lab('heartbeat', at(1), stranger), refused)
    assert.deepEqual(rig.lab('discover', { service: 'add' }, stranger), [])
    rig.registry.close()
  })

  it('takes many names, and not too many', () => {
    const rig = createFacesRig()
    for (let i = 0; i < 1_000; i++) rig.lab('register', { service: `m${i}`, ...at(1) }, here)
    const [only] = rig.store.instances()
    assert.deepEqual([only?.services.length, only?.services[0]?.methods?.length], [10, 100])
    for (const name of ['m0', 'm99', 'm100', 'm999']) assert.equal(find(rig, name).length, 1)
    assert.throws(() => rig.lab('register', { service: 'more', ...at(1) }, here), {
      code: 'resource_exhausted',
    })
    rig.lab('register', { service: 'm5', ...at(1) }, here)
    rig.registry.close()
  })

  it('refuses nonsense with the reason, whatever is sent', () => {
    const rig = createFacesRig()
    const anything = fc.oneof(
      fc.anything(),
      fc.record({ service: fc.string(), host: fc.string(), port: fc.nat() }),
    )
    fc.assert(
      fc.property(anything, fc.constantFrom('register', 'discover', 'heartbeat'), (request, method) => {
        try {
          rig.lab(method as 'register', request, here)
        } catch (error) {
          assert.ok(RpcError.is(error), String(error))
          assert.equal(error.code, 'invalid_argument')
        }
      }),
      { numRuns: 1_000 },
    )
    rig.registry.close()
  })

  it('is a service that is safe to repeat, and can be left out', () => {
    const { faces, registry } = createFacesRig()
    assert.equal(faces.services[0]?.name, 'farcall.registry.lab')
    assert.ok([...(faces.services[0]?.methods.values() ?? [])].every(({ info }) => info.idempotent))
    registry.close()
    const without = createFacesRig({ protobuf: false, json: false, header: false })
    assert.deepEqual([without.faces.services, without.faces.routes], [[], []])
    without.registry.close()
  })
})
