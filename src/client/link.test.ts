import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../core/call.ts'
import { parseEndpoint } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import { createFakeNet } from '../testing/fake-net.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { createReach } from './index.ts'

function setUp() {
  const clock = createVirtualClock(1000)
  const net = createFakeNet(clock)
  const [a, b] = [net.peer('a'), net.peer('b')]
  a.answer = () => 'a'
  b.answer = () => 'b'
  const link = createReach(net.parts)(['memory:a', 'memory:b'].map(parseEndpoint))
  const ended: (RpcError | undefined)[] = []
  const call = async (timeoutMs = 1000) => {
    const made = new Call({
      clock,
      service: 'farcall.registry',
      method: 'find',
      args: { list: [] },
      deadline: clock.now() + timeoutMs,
    })
    made.onEnd(({ error }) => ended.push(error))
    made.watchDeadline()
    return link.call(made)
  }
  return { clock, a, b, link, call, ended }
}

test('a link stays with the address that works, and goes to the next when it cannot be reached', async () => {
  const { clock, a, b, call, ended } = setUp()
  assert.equal(await call(), 'a')
  a.connects = new RpcError('unavailable', 'down')
  a.sessions[0]!.die()
  await clock.settle()
  assert.equal(await call(), 'b')
  a.connects = 'accept'
  await clock.advance(10_000)
  assert.equal(await call(), 'b')
  assert.equal(b.calls.length, 2)
  assert.deepEqual(ended, [undefined, undefined, undefined])
})

test('a link tries each address once, and then says what was wrong with the last', async () => {
  const { clock, a, b, call, ended } = setUp()
  a.connects = new RpcError('unavailable', 'a is down')
  b.connects = new RpcError('unavailable', 'b is down')
  await assert.rejects(call(), /memory:b: b is down/)
  assert.equal(ended.length, 1)
  assert.deepEqual([a.dials.length, b.dials.length], [1, 1])
  await clock.settle()
})

test('what may have been executed is not sent to the next address', async () => {
  const { a, b, call } = setUp()
  a.answer = () => {
    throw new RpcError('unavailable', 'broke in the middle')
  }
  await assert.rejects(call(), /in the middle/)
  assert.equal(b.calls.length, 0)
})

test('a call over a link has its deadline, and none is taken once the link is closed', async () => {
  const { clock, a, link, call, ended } = setUp()
  a.answer = undefined
  const late = call(50)
  await Promise.all([assert.rejects(late, /no answer within 50 ms/), clock.advance(60)])
  await link[Symbol.asyncDispose]()
  await link[Symbol.asyncDispose]()
  await assert.rejects(call(), /the link to the registry is closed/)
  assert.equal(ended.length, 2)
  assert.equal(a.open.length, 0)
})
