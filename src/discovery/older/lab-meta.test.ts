import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RpcError } from '../../core/error.ts'
import type { Instance } from '../../core/instance.ts'
import { maxMetadataBytes } from '../api/limits.ts'
import { decodeInstance, encodeInstance } from '../api/instance-data.ts'
import { protocolOf } from '../api/lab-protocol.ts'
import { readMeta, writeMetas } from './lab-meta.ts'

const registry = { host: '10.0.0.1', port: 8081 }
const name = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,20}$/)

const instances = fc.record({
  id: name,
  incarnation: fc.nat(),
  services: fc.array(fc.record({ name, version: name, methods: fc.array(name, { maxLength: 5 }) }), {
    maxLength: 5,
  }),
  weight: fc.double({ min: 0, max: 1e6, noNaN: true }),
  zone: fc.option(name, { nil: undefined }),
  metadata: fc.dictionary(
    fc.oneof(name, fc.constantFrom('id', 'zone', 'services', 'weight', 'farcall', '__proto__')),
    fc.string({ maxLength: 20 }),
    { maxKeys: 8 },
  ),
  port: fc.integer({ min: 1, max: 65_535 }),
})

describe('entries of the registry of the JSON lab', () => {
  it('hold all of an instance, whatever it is', () => {
    fc.assert(
      fc.property(instances, fc.constantFrom('json', 'farcall', 'geerpc'), ({ port, ...given }, proto) => {
        const endpoints = [`${protocolOf(proto)}+tcp://10.0.0.5:${port}`, 'tls://10.0.0.5:1']
        const instance: Instance = decodeInstance({ ...given, status: 'up', endpoints }, 'instance')
        const [meta, ...others] = writeMetas(instance, [proto])
        assert.equal(others.length, 0)
        const [endpoint] = instance.endpoints
        assert.deepEqual(readMeta(JSON.parse(JSON.stringify(meta)), { proto, registry }), {
          ...instance,
          endpoints: [endpoint],
        })
      }),
    )
  })

  it('that others have written give an instance that can be used, or an error that names the field', () => {
    const odd = fc.oneof(fc.jsonValue(), fc.constantFrom('a', 1, '1', '{}', '0.0.0.0', [], ['a'], null))
    const entries = fc.record(
      {
        protocol: odd,
        host: odd,
        port: odd,
        parameters: fc.oneof(
          odd,
          fc.record(
            { id: odd, services: odd, weight: odd, zone: odd, farcall: odd, other: odd },
            { requiredKeys: [] },
          ),
        ),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(entries, odd), (entry) => {
        let instance: Instance
        try {
          instance = readMeta(entry, { proto: 'json', registry })
        } catch (error) {
          assert.ok(RpcError.is(error) && error.code === 'invalid_argument', String(error))
          return
        }
        assert.deepEqual(decodeInstance(encodeInstance(instance), 'instance'), instance)
      }),
      { numRuns: 500 },
    )
  })

  it('hold less of a server that offers too much, and never less than where it is', () => {
    const server = (services: number, methods: number) =>
      decodeInstance(
        {
          id: 'a',
          incarnation: 7,
          endpoints: ['tcp://10.0.0.5:1'],
          services: Array.from({ length: services }, (_, i) => ({
            name: `service-${i}`,
            version: '1',
            methods: Array.from({ length: methods }, (_value, j) => `method-${j}`),
          })),
        },
        'instance',
      )
    const read = (instance: Instance) =>
      readMeta(writeMetas(instance, ['farcall'])[0], { proto: 'farcall', registry })
    const [few, some, many] = [server(2, 50), server(5, 100), server(300, 1)].map(read)
    assert.deepEqual(few, server(2, 50))
    assert.deepEqual(
      [some?.incarnation, some?.services.length, some?.services[0]],
      [7, 5, { name: 'service-0', version: '1' }],
    )
    assert.deepEqual(
      [many?.incarnation, many?.services.length, many?.services[0]],
      [7, 300, { name: 'service-0' }],
    )
  })

  it('hold no more metadata than an instance may have', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`name-${i}`, '😀'.repeat(20)]))
    const { metadata } = readMeta({ host: 'a', port: 1, parameters: many }, { proto: 'json', registry })
    const bytes = Buffer.byteLength(Object.entries(metadata).flat().join(''))
    assert.ok(bytes > 2_000 && bytes <= maxMetadataBytes, `${bytes} bytes`)
  })
})
