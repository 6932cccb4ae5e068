import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Call } from '../../core/call.ts'
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../core/endpoint.ts'
import { RpcError } from '../../core/error.ts'
import { fail } from '../../core/settle.ts'
import { math, watch } from '../discovery.suite.ts'
import type { DiscoveryRoom } from '../source.ts'
import { createLabTcpHarness } from './harness.suite.ts'
import { createLabTcpRegistrars, createLabTcpResolvers } from './index.ts'

const target = 'lab-registry+tcp://10.0.0.1:54321'
const ttlMs = 15_000
const never = new AbortController().signal
const server = {
  ...math,
  endpoints: ['tcp://10.0.0.5:50000', 'lab-protobuf+tcp://10.0.0.5:50000'].map(parseEndpoint),
  services: [
    { name: 'farcall.meta', methods: ['describe'] },
    { name: 'Calculator', version: '1', methods: ['add', 'sub'] },
    { name: 'Big' },
  ],
}

const names = ['add', 'sub', 'Calculator', 'Calculator.add', 'Calculator.sub', 'Big']

/** A way to a registry that answers as it is told, call by call. */
function setUp(answer: (call: Call) => unknown) {
  const h = createLabTcpHarness(target)
  const calls: Call[] = []
  const reached: string[] = []
  let closed = 0
  const room: DiscoveryRoom = {
    ...h.room,
    reach(endpoints: readonly Endpoint[]) {
      reached.push(...endpoints.map(formatEndpoint))
      const call = (one: Call) => {
        calls.push(one)
        return answer(one)
      }
      return { call, [Symbol.asyncDispose]: async () => void closed++ }
    },
  }
  return { ...h, calls, reached, room, closed: () => closed }
}

describe('registering at the TCP registry of the protobuf lab', () => {
  it('is one request for each name that a peer may ask for', async () => {
    const h = setUp(() => undefined)
    const registrar = createLabTcpRegistrars().create(`${target},b:1`, h.room)
    const registration = registrar.register([server], { ttlMs })
    await h.clock.advance(100)
    await registration.ready
    assert.deepEqual(h.reached, ['lab-protobuf+tcp://10.0.0.1:54321', 'lab-protobuf+tcp://b:1'])
    assert.deepEqual(
      h.calls.map(({ name, args, info }) => [name, args.list[0], info?.idempotent]),
      names.map((service) => [
        'farcall.registry.lab.register',
        { service, host: '10.0.0.5', port: 50_000 },
        true,
      ]),
    )
    await Promise.all([registrar[Symbol.asyncDispose]?.(), h.clock.advance(1_000)])
    assert.equal(h.closed(), 1)
  })

  it('then a heartbeat every 5 s; asked to register again, it registers everything', async () => {
    const h = createLabTcpHarness()
    const registration = h.newRegistrar().register([server], { ttlMs })
    const lost: RpcError[] = []
    registration.onLost = (reason) => lost.push(reason)
    await h.clock.advance(100)
    h.registry.asked.length = 0
    await h.clock.advance(60_000)
    const beats = h.registry.asked.length
    assert.ok(beats >= 10 && beats <= 13, `${beats} in a minute`)
    assert.ok(h.registry.asked.every((line) => line === 'heartbeat'))
    h.registry.restart()
    h.registry.asked.length = 0
    await h.clock.advance(5_500)
    assert.deepEqual(h.registry.asked, ['heartbeat', ...names.map((name) => `register ${name}`)])
    assert.deepEqual(
      lost.map(({ code, message }) => [code, message]),
      [['aborted', 'lab-registry+tcp://127.0.0.1:54321 no longer knows 10.0.0.5:50000; registering again']],
    )
    await registration.close()
    const before = h.registry.asked.length
    await h.clock.advance(60_000)
    assert.equal(h.registry.asked.length, before, 'there is no way to unregister')
  })

  it('a server that does not speak lab-protobuf is told so', async () => {
    const h = createLabTcpHarness()
    await assert.rejects(h.newRegistrar().register([math], { ttlMs }).ready, {
      code: 'invalid_argument',
      message: /is for servers that speak lab-protobuf over tcp.*name lab-protobuf in 'protocols'/,
    })
  })
})

describe('finding at the TCP registry of the protobuf lab', () => {
  it('asks for the service, or for the method where a call names no service; each once', async () => {
    const h = createLabTcpHarness()
    h.newRegistrar().register([server], { ttlMs })
    await h.clock.advance(100)
    h.registry.asked.length = 0
    const all = [
      watch(h, { service: '', method: 'add' }),
      watch(h, { service: 'Calculator' }),
      watch(h, { service: 'nobody' }),
      watch(h, {}),
    ]
    await h.clock.advance(100)
    assert.deepEqual(h.registry.asked, ['discover add', 'discover Calculator', 'discover nobody'])
    assert.deepEqual(
      all.map((seen) => [seen.last?.status, seen.ids()]),
      [
        ['live', ['lab-protobuf+tcp://10.0.0.5:50000']],
        ['live', ['lab-protobuf+tcp://10.0.0.5:50000']],
        ['live', []],
        ['lost', []],
      ],
    )
    assert.match(all[3]?.last?.reason?.message ?? '', /asked service by service/)
    for (const seen of all) seen.stop()
  })

  it('one failure is tried again at once, two are an error; nobody is an answer, and is not', async () => {
    const failures: RpcError[] = []
    const h = setUp((call) => {
      const error = failures.shift()
      return error === undefined ? [{ host: '0.0.0.0', port: '7' }] : fail(call, error)
    })
    const resolver = createLabTcpResolvers().create(target, h.room)
    const refresh = () => resolver.refresh?.({ service: 'add' }, never)
    const seen = watch({ ...h, newResolver: () => resolver }, { service: 'add' })
    await h.clock.advance(100)
    h.calls.length = 0
    failures.push(new RpcError('deadline_exceeded', 'late'))
    assert.deepEqual([...((await refresh())?.instances.keys() ?? [])], ['lab-protobuf+tcp://10.0.0.1:7'])
    failures.push(new RpcError('internal', 'error'), new RpcError('internal', 'error'))
    await assert.rejects(async () => refresh(), { code: 'internal' })
    assert.equal(h.calls.length, 4)
    failures.push(new RpcError('not_found', 'nobody has add'))
    const doubted = await refresh()
    assert.equal(h.calls.length, 5)
    assert.match(doubted?.reason?.message ?? '', /suddenly names none of 1 instances/)
    seen.stop()
    await resolver[Symbol.asyncDispose]?.()
  })

  it('answers that are no list of servers are errors', async () => {
    for (const answer of [
      null,
      {},
      'x',
      [{ host: 'a' }],
      [{ host: 'a', port: 0 }],
      [7],
      Array(10_001).fill({}),
    ]) {
      const h = setUp(() => answer)
      const resolver = createLabTcpResolvers().create(target, h.room)
      await assert.rejects(async () => resolver.refresh?.({ service: 'add' }, never), RpcError)
      await resolver[Symbol.asyncDispose]?.()
    }
  })
})
