import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPending, type Layer } from '../core/layer.ts'
import { RpcError } from '../core/error.ts'
import { ItemStream } from '../core/item-stream.ts'
import { createFakeNet } from '../testing/fake-net.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { createClient, type ClientOptions } from './index.ts'

function setUp(options: ClientOptions) {
  const clock = createVirtualClock(1000)
  const net = createFakeNet(clock)
  const peer = net.peer('a')
  const client = createClient(net.parts, 'memory:a', options)
  return { clock, peer, client, m: client.service('math') as any }
}

test('layers are around the call, attempt layers inside of them, first outermost', async () => {
  const order: string[] = []
  const layer =
    (name: string): Layer =>
    (next) =>
    (call) => {
      order.push(name)
      return next(call)
    }
  const { peer, m, client } = setUp({ layers: [layer('1'), layer('2')], attemptLayers: [layer('3')] })
  peer.answer = () => 'ok'
  assert.equal(await m.add(), 'ok')
  assert.deepEqual(order, ['1', '2', '3'])
  assert.equal(client.status().pendingCalls, 0)
})

test('a layer that answers by itself ends the call: a value, an error, a stream, a promise', async () => {
  const ended: (string | undefined)[] = []
  const answers: Layer = () => (call) => {
    call.onEnd(({ error }) => ended.push(error?.code))
    switch (call.method) {
      case 'value':
        return 7
      case 'error':
        throw new TypeError('a mistake in a layer')
      case 'stream':
        return (async function* () {
          yield 1
          yield 2
        })()
      default:
        return Promise.reject(new RpcError('not_found', 'no'))
    }
  }
  const { client, m } = setUp({ layers: [answers] })
  assert.equal(await m.value(), 7)
  await assert.rejects(m.error(), (error: RpcError) => RpcError.is(error) && error.code === 'internal')
  await assert.rejects(m.other(), /no/)
  const got: number[] = []
  for await (const n of m.stream()) got.push(n)
  assert.deepEqual(got, [1, 2])
  for await (const _ of m.stream()) break
  assert.deepEqual(ended, [undefined, 'internal', 'not_found', undefined, undefined])
  assert.equal(client.status().pendingCalls, 0)
})

test('a layer that takes no notice of time and cancelling does not hold up the caller, and nothing goes out', async () => {
  let wake = () => {}
  const sleeps: Layer = (next) => async (call) => {
    await new Promise<void>((resolve) => {
      wake = resolve
    })
    return next(call)
  }
  const { clock, peer, client, m } = setUp({ layers: [sleeps] })
  const reply = m.$with({ timeoutMs: 50 }).add()
  await Promise.all([assert.rejects(reply, /no answer within 50 ms/), clock.advance(60)])
  assert.equal(client.status().pendingCalls, 0)
  wake()
  await clock.settle()
  assert.equal(peer.calls.length, 0)
})

test('a stream that comes through a layer is lifted from the deadline, and ends its call when it ends', async () => {
  const passes: Layer = (next) => (call) => {
    const reply = next(call)
    return isPending(reply) ? reply.then((value) => value) : reply
  }
  const stream = new ItemStream<number>()
  const { clock, client, m } = setUp({
    layers: [passes],
    attemptLayers: [() => () => Promise.resolve(stream)],
  })
  const items = m.count()[Symbol.asyncIterator]()
  stream.push(1)
  assert.deepEqual(await items.next(), { done: false, value: 1 })
  assert.equal(client.status().pendingCalls, 1)
  await clock.advance(60_000)
  stream.push(2)
  assert.deepEqual(await items.next(), { done: false, value: 2 })
  stream.finish(new RpcError('aborted', 'broke'))
  await assert.rejects(items.next(), /broke/)
  assert.deepEqual(await items.next(), { done: true, value: undefined })
  assert.equal(client.status().pendingCalls, 0)
})

test('a stream that comes through a layer is cancelled with its call', async () => {
  const left: RpcError[] = []
  const stream = new ItemStream<number>({ onLeft: (reason) => left.push(reason) })
  const { client, m } = setUp({ attemptLayers: [() => () => Promise.resolve(stream)] })
  const abort = new AbortController()
  const items = m.$with({ signal: abort.signal }).count()[Symbol.asyncIterator]()
  stream.push(1)
  await items.next()
  const next = items.next()
  abort.abort()
  await assert.rejects(next, (error: RpcError) => error.code === 'cancelled')
  assert.equal(left.length, 1)
  assert.equal(client.status().pendingCalls, 0)
})

test('what a fallback layer answers counts, though the call had failed', async () => {
  const fallback: Layer = (next) => async (call) => {
    try {
      return await next(call)
    } catch {
      return 'instead'
    }
  }
  const { peer, m } = setUp({ layers: [fallback] })
  peer.connects = new RpcError('unavailable', 'down')
  assert.equal(await m.add(), 'instead')
})
