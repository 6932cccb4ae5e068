import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatEndpoint } from '../core/endpoint.ts'
import { service } from '../core/service.ts'
import type { Transport, Wire } from '../transports/transport.ts'
import { advertisedEndpoints, needsHost } from './advertise.ts'
import { createRig } from './fixtures/rig.ts'
import { resolveServeOptions } from './options.ts'

const math = service('math', { add: () => 1 })

function shown(listen: string | string[], advertise?: string | string[], protocols = ['farcall']): string[] {
  const options = resolveServeOptions({ listen, advertise })
  const input = { listening: options.listen, protocols, advertise: options.advertise, host: '10.0.0.7' }
  return advertisedEndpoints(input).map(formatEndpoint)
}

test('a concrete host is advertised as it is, a wildcard as the host that others see', () => {
  assert.deepEqual(shown('tcp://127.0.0.1:1'), ['tcp://127.0.0.1:1'])
  assert.deepEqual(shown('tcp://0.0.0.0:1'), ['tcp://10.0.0.7:1'])
  assert.deepEqual(shown('tcp://[::]:1'), ['tcp://10.0.0.7:1'])
  assert.deepEqual(shown(['tcp://[::0]:1', 'unix:/a', 'memory:b']), [
    'tcp://10.0.0.7:1',
    'unix:/a',
    'memory:b',
  ])
})

test('advertise: a host, a host with a port, whole targets', () => {
  assert.deepEqual(shown('tcp://0.0.0.0:1', 'math.example'), ['tcp://math.example:1'])
  assert.deepEqual(shown('tcp://0.0.0.0:1', 'math.example:80'), ['tcp://math.example:80'])
  assert.deepEqual(shown(['tcp://0.0.0.0:1', 'tcp://0.0.0.0:2'], '::1'), ['tcp://[::1]:1', 'tcp://[::1]:2'])
  assert.deepEqual(shown('tcp://0.0.0.0:1', ['tls://a:1', 'unix:/x']), ['tls://a:1', 'unix:/x'])
  assert.deepEqual(shown('tcp://0.0.0.0:7', 'tcp://a:0'), ['tcp://a:7'])
})

test('each protocol that is spoken there, unless one alone is', () => {
  assert.deepEqual(shown(['memory:a', 'json-rpc+memory:b'], undefined, ['farcall', 'json-rpc']), [
    'memory:a',
    'json-rpc+memory:a',
    'json-rpc+memory:b',
  ])
})

test('only a wildcard without `advertise` needs to know how the machine is seen', () => {
  const needs = (listen: string, advertise?: string) => {
    const options = resolveServeOptions({ listen, advertise })
    return needsHost({ listening: options.listen, advertise: options.advertise })
  }
  assert.equal(needs('tcp://0.0.0.0:1'), true)
  assert.equal(needs('tcp://0.0.0.0:1', 'a'), false)
  assert.equal(needs('tcp://127.0.0.1:1'), false)
  assert.equal(needs('memory:a'), false)
})

/** A rig whose `tcp` is memory, and which turns port 0 into 4711. */
function createTcpRig() {
  const rig = createRig({ localAddresses: () => ['192.168.1.5'] })
  const tcp: Transport = {
    name: 'tcp',
    dial: rig.transport.dial,
    async listen(at, accept: (wire: Wire) => void) {
      const listener = await rig.transport.listen({ transport: 'memory', name: 'a' }, accept)
      const address = at.transport === 'tcp' ? { ...at, port: at.port || 4711 } : at
      return { ...listener, address }
    },
  }
  Object.assign(rig.parts, { transports: [tcp] })
  return rig
}

test('port 0 registers the real port', async () => {
  await using rig = createTcpRig()
  const server = await rig.serve([math], { listen: 'tcp://127.0.0.1:0' })
  await server.registered
  assert.deepEqual(server.targets, ['tcp://127.0.0.1:4711'])
  assert.deepEqual(rig.registry.last[0]?.endpoints.map(formatEndpoint), ['line+tcp://127.0.0.1:4711'])
})

test('a wildcard is registered as the registry sees this machine', async () => {
  await using rig = createTcpRig()
  rig.registry.seenAs = '10.1.2.3'
  const server = await rig.serve([math], { listen: 'tcp://0.0.0.0:0' })
  await server.registered
  assert.deepEqual(rig.registry.last[0]?.endpoints.map(formatEndpoint), ['line+tcp://10.1.2.3:4711'])
  assert.deepEqual(server.endpoints.map(formatEndpoint), ['line+tcp://10.1.2.3:4711'])
  assert.deepEqual(rig.registry.log, ['register'])
})

test('while the registry is down the first local address stands in, and is put right afterwards', async () => {
  await using rig = createTcpRig()
  rig.registry.mode = 'down'
  rig.registry.seenAs = '10.1.2.3'
  const server = await rig.serve([math], { listen: 'tcp://0.0.0.0:0' })
  await rig.clock.advance(1_000)
  assert.deepEqual(rig.registry.last[0]?.endpoints.map(formatEndpoint), ['line+tcp://192.168.1.5:4711'])
  rig.registry.recover()
  await rig.clock.settle()
  assert.deepEqual(rig.registry.last[0]?.endpoints.map(formatEndpoint), ['line+tcp://10.1.2.3:4711'])
  await server.registered
})
