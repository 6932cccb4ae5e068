import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../core/call.ts'
import { currentCall, detached, runInCall } from '../core/context.ts'
import { RpcError } from '../core/error.ts'
import { Metadata } from '../core/metadata.ts'
import { createFakeNet } from '../testing/fake-net.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { createClient } from './index.ts'

function setUp(forwardMetadata: string[] = []) {
  const clock = createVirtualClock(1000)
  const net = createFakeNet(clock)
  const peer = net.peer('a')
  const client = createClient(net.parts, 'memory:a', { forwardMetadata })
  const m = client.service('math') as any
  const parent = (init: { deadline?: number; metadata?: Record<string, string> } = {}) =>
    new Call({
      clock,
      service: 'outer',
      method: 'work',
      args: { list: [] },
      deadline: init.deadline ?? Number.POSITIVE_INFINITY,
      phase: 'handle',
      metadata: init.metadata && new Metadata(init.metadata),
    })
  return { clock, peer, m, parent }
}

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

test('a call inside of a handler inherits the deadline, the trace and what is forwarded', async () => {
  const { clock, peer, m, parent } = setUp(['Tenant'])
  const outer = parent({ deadline: 1300, metadata: { traceparent, tenant: 'x', secret: 'y' } })
  const reply = runInCall(outer, () => m.$with({ metadata: { mine: '1' } }).add())
  await clock.settle()
  const { call } = peer.calls[0]!
  assert.equal(call.deadline, 1300)
  assert.deepEqual({ ...call.metadata.toJSON() }, { traceparent, tenant: 'x', mine: '1' })
  peer.calls[0]!.answer(1)
  await reply
})

test('the shorter time holds', async () => {
  const { clock, peer, m, parent } = setUp()
  const reply = runInCall(parent({ deadline: 5000 }), () => m.$with({ timeoutMs: 7 }).add())
  await clock.settle()
  assert.equal(peer.calls[0]!.call.deadline, 1007)
  peer.calls[0]!.answer(1)
  await reply
})

test('cancelling a call cancels the calls that it makes, and says so', async () => {
  const { clock, peer, m, parent } = setUp()
  const outer = parent()
  const replies = runInCall(outer, () => [m.add(1), m.add(2)])
  await clock.settle()
  peer.calls[0]!.answer('in time')
  outer.cancel(new RpcError('cancelled', 'the caller went away'))
  assert.equal(await replies[0], 'in time')
  await assert.rejects(
    replies[1],
    /math\.add: outer\.work, which made this call, was cancelled: the caller went away/,
  )
  await assert.rejects(
    runInCall(outer, () => m.add(3)),
    /was cancelled/,
  )
  assert.equal(peer.calls.length, 2)
})

test('a handler that lives long and makes many calls holds none that has ended', async () => {
  const { peer, m, parent } = setUp()
  peer.answer = () => 1
  const outer = parent()
  for (let i = 0; i < 100; i++) await runInCall(outer, () => m.add(i))
  let cancels = 0
  for (const { call } of peer.calls) call.cancel = () => void cancels++
  outer.cancel(new RpcError('cancelled', 'over'))
  assert.equal(cancels, 0)
})

test('a call that has ended hands on its trace and nothing else', async () => {
  const { clock, peer, m, parent } = setUp(['tenant'])
  const outer = parent({ deadline: 1100, metadata: { traceparent, tenant: 'x' } })
  outer.end()
  const reply = runInCall(outer, () => m.add())
  await clock.settle()
  const { call } = peer.calls[0]!
  assert.equal(call.deadline, 11_000)
  assert.deepEqual({ ...call.metadata.toJSON() }, { traceparent })
  peer.calls[0]!.answer(1)
  await reply
})

test('detached: nothing is inherited', async () => {
  const { clock, peer, m, parent } = setUp(['tenant'])
  const outer = parent({ deadline: 1100, metadata: { traceparent, tenant: 'x' } })
  const reply = runInCall(outer, () => detached(() => m.add()))
  await clock.settle()
  const { call } = peer.calls[0]!
  assert.equal(call.deadline, 11_000)
  assert.equal(call.givenMetadata, undefined)
  outer.cancel(new RpcError('cancelled', 'gone'))
  peer.calls[0]!.answer(1)
  assert.equal(await reply, 1)
})

test('connections and the watch do not belong to the call that happened to be the first', async () => {
  const { clock, peer, m, parent } = setUp()
  const seen: unknown[] = []
  const dial = peer.dial
  Object.assign(peer, {
    dial: (signal: AbortSignal) => {
      seen.push(currentCall())
      return dial(signal)
    },
  })
  peer.answer = () => 1
  await runInCall(parent(), () => m.add())
  await clock.settle()
  assert.deepEqual(seen, [undefined])
})

test('metadata of one call is not that of the next', async () => {
  const { peer, m } = setUp()
  peer.answer = (call) => {
    const before = call.metadata.size
    call.metadata.set('added', '1')
    return before
  }
  const one = m.$with({ metadata: { a: '1' } })
  assert.equal(await one.add(), 1)
  assert.equal(await one.add(), 1)
})
