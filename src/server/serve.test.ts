import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentCall } from '../core/context.ts'
import { RpcError } from '../core/error.ts'
import { service } from '../core/service.ts'
import { createRecordingLogger } from '../testing/recording-logger.ts'
import { createRig } from './fixtures/rig.ts'

const math = service('math', { add: (a: number, b: number) => a + b })
const text = service('text', { upper: (given: string) => given.toUpperCase() }, { version: '2' })

test('it listens, registers, serves, and stops', async () => {
  await using rig = createRig()
  const server = await rig.serve([math])
  assert.equal(server.state, 'serving')
  assert.deepEqual(server.targets, ['memory:a'])
  await server.registered
  assert.deepEqual(rig.registry.last, [
    {
      id: 'server-1',
      incarnation: 1_700_000_000_000,
      services: [{ name: 'math', methods: ['add'] }],
      endpoints: [{ protocol: 'line', address: { transport: 'memory', name: 'a' } }],
      weight: 1,
      zone: undefined,
      metadata: {},
      status: 'up',
    },
  ])
  const client = await rig.client()
  assert.equal(await client.call('math', 'add', 1, 2), 3)
  const closed = server.close()
  await rig.clock.advance(100)
  await closed
  assert.equal(server.state, 'closed')
  assert.deepEqual(rig.registry.log, ['register', 'drain', 'close'])
  assert.ok(rig.registry.disposed)
  assert.ok(client.draining)
  assert.ok(client.closed)
  assert.equal(rig.clock.timers, 0)
  assert.deepEqual(rig.logger.events(), [
    'service',
    'listening',
    'registered',
    'connected',
    'draining',
    'closed',
    'unregistered',
    'stopped',
  ])
})

test('services come and go while it runs, and the registry follows', async () => {
  await using rig = createRig()
  const server = await rig.serve([math])
  await server.registered
  const client = await rig.client()
  server.add(text)
  await rig.clock.settle()
  assert.deepEqual(rig.registry.last[0]?.services, [
    { name: 'math', methods: ['add'] },
    { name: 'text', version: '2', methods: ['upper'] },
  ])
  assert.equal(await client.call('text', 'upper', 'a'), 'A')
  assert.equal(server.remove('math'), true)
  assert.equal(server.remove('math'), false)
  server.remove('text')
  server.add(text)
  await rig.clock.settle()
  assert.deepEqual(rig.registry.last[0]?.services, [{ name: 'text', version: '2', methods: ['upper'] }])
  // Three changes in one turn were one update.
  assert.deepEqual(rig.registry.log, ['register', 'update', 'update'])
  await assert.rejects(client.call('math', 'add', 1, 2), /not_found|unknown service/)
  assert.throws(
    () => server.add(text),
    (error) => RpcError.is(error) && error.code === 'already_exists',
  )
})

test('its weight can be changed at any time, and the registry follows', async () => {
  await using rig = createRig()
  const server = rig.server([math], { registry: 'fake:', weight: 2 })
  server.setWeight(3)
  await server.listen()
  await server.registered
  assert.equal(rig.registry.last[0]?.weight, 3)
  server.setWeight(5)
  server.setWeight(0.1 * 3)
  assert.equal(server.weight, 0.3)
  await rig.clock.settle()
  assert.equal(rig.registry.last[0]?.weight, 0.3)
  assert.deepEqual(rig.registry.log, ['register', 'update'])
  for (const weight of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1_000_001, '2' as never]) {
    assert.throws(
      () => server.setWeight(weight),
      (error) =>
        RpcError.is(error) && error.code === 'invalid_argument' && /0 to 1000000/.test(error.message),
    )
  }
  assert.equal(server.weight, 0.3)
})

test('a server without services is not a candidate for everything', async () => {
  await using rig = createRig()
  const server = await rig.serve([math])
  await server.registered
  assert.equal(rig.registry.last[0]?.status, 'up')
  server.remove('math')
  await rig.clock.settle()
  assert.equal(rig.registry.last[0]?.status, 'draining')
  server.add(math)
  await rig.clock.settle()
  assert.equal(rig.registry.last[0]?.status, 'up')
})

test('a call in flight finishes after its service was removed', async () => {
  await using rig = createRig()
  const gate = Promise.withResolvers<string>()
  const server = await rig.serve([service('slow', { wait: () => gate.promise })])
  const client = await rig.client()
  const pending = client.call('slow', 'wait')
  await rig.clock.settle()
  server.remove('slow')
  await assert.rejects(client.call('slow', 'wait'))
  gate.resolve('done')
  assert.equal(await pending, 'done')
})

test('it serves while the registry is down, and is registered when that comes', async () => {
  await using rig = createRig()
  rig.registry.mode = 'down'
  const server = await rig.serve([math])
  const client = await rig.client()
  assert.equal(await client.call('math', 'add', 1, 2), 3)
  let registered = false
  void server.registered.then(() => (registered = true))
  await rig.clock.settle()
  assert.equal(registered, false)
  assert.deepEqual(server.stats().registries, [{ target: 'fake:', state: 'registering' }])
  rig.registry.recover()
  await rig.clock.settle()
  assert.equal(registered, true)
  assert.deepEqual(server.stats().registries, [{ target: 'fake:', state: 'registered' }])
})

test('a registry that refuses for good is an error in the log and of `registered`, nothing else', async () => {
  await using rig = createRig()
  rig.registry.mode = 'refuses'
  const server = await rig.serve([math])
  await assert.rejects(server.registered, /refused/)
  assert.deepEqual(server.stats().registries, [{ target: 'fake:', state: 'refused', reason: 'refused' }])
  assert.equal(rig.logger.lines.at(-1)?.level, 'error')
  const client = await rig.client()
  assert.equal(await client.call('math', 'add', 1, 2), 3)
})

test('a registry that has lost the server is in the log', async () => {
  await using rig = createRig()
  const server = await rig.serve([math])
  await server.registered
  rig.registry.lose()
  assert.equal(rig.logger.lines.at(-1)?.fields['event'], 'lost')
})

test('closing while it starts: nothing is left open, and listen says so', async () => {
  await using rig = createRig()
  const server = rig.server([math], { registry: 'fake:' })
  const started = server.listen()
  const closed = server.close()
  await assert.rejects(started, (error) => RpcError.is(error) && error.code === 'cancelled')
  await closed
  await assert.rejects(rig.dial(), /nothing listens/)
  assert.deepEqual(rig.registry.log, [])
  await assert.rejects(server.registered)
  assert.equal(rig.clock.timers, 0)
})

test('closing one that never started', async () => {
  await using rig = createRig()
  const server = rig.server([math])
  await server.close()
  await assert.rejects(server.listen(), /closed while it was starting/)
})

test('a place that is taken: the error names it, and the other places are free again', async () => {
  await using rig = createRig()
  await rig.serve([math], { listen: 'memory:taken' })
  const second = rig.server([math], { listen: ['memory:free', 'memory:taken'] })
  await assert.rejects(second.listen(), (error) => RpcError.is(error) && error.code === 'already_exists')
  await assert.rejects(rig.dial('free'))
  assert.equal(second.state, 'closed')
})

test('several places, one of them for one protocol alone', async () => {
  await using rig = createRig()
  const server = await rig.serve([math], { listen: ['memory:a', 'line+memory:b'] })
  assert.deepEqual(server.targets, ['memory:a', 'memory:b'])
  assert.equal(await (await rig.client('b')).call('math', 'add', 2, 2), 4)
})

test('layers stand around every call, the first outermost; the counts see what they refuse', async () => {
  await using rig = createRig()
  const order: string[] = []
  const server = await rig.serve([math], {
    layers: [
      (next) => (call) => {
        order.push('outer')
        return next(call)
      },
      (next) => (call) => {
        order.push('inner')
        if (call.args.list[0] === 13) throw new RpcError('permission_denied', 'unlucky')
        return next(call)
      },
    ],
  })
  const client = await rig.client()
  await client.call('math', 'add', 1, 2)
  await assert.rejects(client.call('math', 'add', 13, 2), /unlucky/)
  assert.deepEqual(order, ['outer', 'inner', 'outer', 'inner'])
  const [add] = server.stats().methods
  assert.equal(add?.calls, 2)
  assert.deepEqual(add?.errors, { permission_denied: 1 })
})

test('what a method did not mean to say stays here, with its stack, under the id that the caller got', async () => {
  await using rig = createRig()
  const broken = service('broken', {
    fail: () => {
      throw new TypeError('the secret')
    },
  })
  await rig.serve([broken])
  const client = await rig.client()
  const error = await client.call('broken', 'fail').then(
    () => assert.fail('it should fail'),
    (thrown: Error) => thrown,
  )
  assert.doesNotMatch(error.message, /secret/)
  const line = rig.logger.lines.find(({ fields }) => fields['event'] === 'failed')
  assert.ok(error.message.includes(String(line?.fields['correlationId'])))
  assert.match((line?.fields['err'] as Error | undefined)?.stack ?? '', /the secret[^]*serve\.test/)
})

test('a logger that throws harms no call', async () => {
  await using rig = createRig()
  const fail = () => {
    throw new Error('disk full')
  }
  const logger = { trace: fail, debug: fail, info: fail, warn: fail, error: fail }
  await rig.serve([math], { logger })
  const client = await rig.client()
  assert.equal(await client.call('math', 'add', 1, 2), 3)
})

test('a server that a handler starts belongs to no call', async () => {
  await using rig = createRig()
  let seen: unknown = 'nothing'
  const inner = service('inner', { ask: () => (seen = currentCall()?.name) })
  const outer = service('outer', {
    start: async () => {
      await rig.server([inner], { listen: 'memory:inner' }).listen()
      return true
    },
  })
  await rig.serve([outer])
  await (await rig.client()).call('outer', 'start')
  await (await rig.client('inner')).call('inner', 'ask')
  assert.equal(seen, 'inner.ask')
})

test('the options own logger is used, and no other', async () => {
  await using rig = createRig()
  const own = createRecordingLogger()
  const server = await rig.serve([math], { logger: own })
  await server.close({ graceMs: 0 })
  assert.ok(own.events().includes('listening'))
  assert.deepEqual(rig.logger.lines, [])
})
