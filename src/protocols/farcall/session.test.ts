import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { jsonCodec } from '../../codecs/json/json.ts'
import { msgpackCodec } from '../../codecs/msgpack/msgpack.ts'
import type { Call } from '../../core/call.ts'
import { isNotExecuted, RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import type { Stream } from '../../core/stream.ts'
import { createSessionPair, type SessionPairOptions } from '../../testing/session-pair.ts'
import { farcallProtocol } from './farcall.ts'

type Fn = (call: Call, ...args: never[]) => unknown

function handlerOf(functions: Record<string, Fn>): Handler {
  return (call) => {
    const fn = functions[call.method]
    if (fn === undefined) throw new RpcError('not_found', `no method ${call.method}`)
    return fn(call, ...(call.args.list as never[]))
  }
}

function pair(functions: Record<string, Fn>, options: Partial<SessionPairOptions> = {}) {
  return createSessionPair({
    protocol: farcallProtocol,
    codecs: [msgpackCodec, jsonCodec],
    handler: handlerOf(functions),
    ...options,
  })
}

const rejects = (promise: Promise<unknown>, code: string, message: RegExp) =>
  assert.rejects(promise, (error: RpcError) => {
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  })

async function* countTo(n: number) {
  for (let i = 1; i <= n; i++) yield i
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

for (const codec of [msgpackCodec, jsonCodec]) {
  describe(`farcall sessions with ${codec.name}`, () => {
    it('answers many calls at once, out of order', async () => {
      const release: (() => void)[] = []
      await using p = await pair(
        {
          echo: (_call, x) => x,
          later: (_call, x) => new Promise((resolve) => release.push(() => resolve(x))),
        },
        { clientCodecs: [codec] },
      )
      const slow = p.call('later', ['slow'])
      assert.deepEqual(await Promise.all([p.call('echo', [1]), p.call('echo', [{ a: [1, 'x'] }])]), [
        1,
        { a: [1, 'x'] },
      ])
      release[0]?.()
      assert.equal(await slow, 'slow')
      assert.equal(p.client.inFlight, 0)
      assert.equal(p.server.inFlight, 0)
    })

    it('carries values that JSON has not', async () => {
      await using p = await pair({ echo: (_call, x) => x }, { clientCodecs: [codec] })
      const value = {
        when: new Date(5),
        big: 2n ** 70n,
        bytes: new Uint8Array([1, 2]),
        map: new Map([[1, 'a']]),
        set: new Set(['b']),
        none: undefined,
      }
      assert.deepEqual(await p.call('echo', [value]), value)
    })

    it('streams to the client, from the client, and both', async () => {
      await using p = await pair(
        {
          count: (_call, n: number) => countTo(n),
          total: async (_call, numbers: AsyncIterable<number>) =>
            (await collect(numbers)).reduce((a, b) => a + b, 0),
          async *double(_call: Call, numbers: AsyncIterable<number>) {
            for await (const n of numbers) yield n * 2
          },
        },
        { clientCodecs: [codec] },
      )
      assert.deepEqual(await collect((await p.call('count', [3])) as Stream), [1, 2, 3])
      assert.equal(await p.call('total', [countTo(100)]), 5050)
      assert.deepEqual(await collect((await p.call('double', [countTo(4)])) as Stream), [2, 4, 6, 8])
      assert.equal(p.client.inFlight, 0)
      assert.equal(p.server.inFlight, 0)
    })
  })
}

describe('farcall errors', () => {
  it('carries code, message, reason, details and metadata', async () => {
    await using p = await pair({
      fail: () => {
        throw new RpcError('out_of_range', 'too far', {
          reason: 'far',
          details: { max: 3 },
          metadata: { hint: 'less' },
        })
      },
    })
    await assert.rejects(p.call('fail'), {
      code: 'out_of_range',
      message: 'too far',
      reason: 'far',
      details: { max: 3 },
      metadata: { hint: 'less' },
      phase: 'receive',
    })
  })

  it('an error is no beginning of a reply: the call may be made again', async () => {
    await using p = await pair({
      fail: () => {
        throw new RpcError('unavailable', 'not now')
      },
    })
    const { call, reply } = p.start('fail')
    await assert.rejects(reply)
    assert.equal(call.headAt, 0)
  })

  it('says which result cannot travel, and goes on', async () => {
    await using p = await pair({ bad: () => ({ a: [() => 1] }), ok: () => 1 })
    await rejects(p.call('bad'), 'internal', /result of test\.bad cannot be sent.*\$\.a\[0\].*function/)
    assert.equal(await p.call('ok'), 1)
  })

  it('says which argument cannot travel, without sending anything', async () => {
    await using p = await pair({ ok: () => 1 })
    await assert.rejects(
      p.call('ok', [{ f: Symbol('s') }]),
      (error: RpcError) => error.phase === 'send' && isNotExecuted(error),
    )
    assert.equal(p.served.length, 0)
    assert.equal(await p.call('ok'), 1)
  })

  it('refuses two streams among the arguments', async () => {
    await using p = await pair({ ok: () => 1 })
    await rejects(p.call('ok', [countTo(1), countTo(1)]), 'invalid_argument', /one stream/)
  })

  it('raises a failing stream once, after its items', async () => {
    await using p = await pair({
      async *half() {
        yield 1
        throw new RpcError('data_loss', 'broken off')
      },
    })
    const stream = (await p.call('half')) as Stream
    const iterator = stream[Symbol.asyncIterator]()
    assert.deepEqual(await iterator.next(), { done: false, value: 1 })
    await rejects(iterator.next(), 'data_loss', /broken off/)
    assert.deepEqual(await iterator.next(), { done: true, value: undefined })
  })
})

describe('farcall deadlines and cancelling', () => {
  it('tells the handler how long it has, and expires on both sides', async () => {
    await using p = await pair({ hang: () => new Promise(() => {}) })
    const { reply, call } = p.start('hang', [], { deadline: 500 })
    const failed = rejects(reply, 'deadline_exceeded', /test\.hang.*500 ms.*'wait'/)
    await p.clock.advance(400)
    const [served] = p.served as [Call]
    assert.ok(!served.signal.aborted)
    await p.clock.advance(110)
    await failed
    assert.equal(call.ended, true)
    assert.equal(served.cancelled?.code, 'deadline_exceeded')
    assert.equal(served.signal.aborted, true)
  })

  it('cancels the handler at once when the caller cancels', async () => {
    await using p = await pair({ hang: () => new Promise(() => {}) })
    const { reply, call } = p.start('hang')
    await p.clock.settle()
    call.cancel(new RpcError('cancelled', 'enough'))
    await rejects(reply, 'cancelled', /enough/)
    await p.clock.settle()
    assert.equal(p.served[0]?.cancelled?.message, 'enough')
  })

  it('counts a cancelled handler against the limit until it ends, beyond a burst', async () => {
    const release: (() => void)[] = []
    await using p = await pair(
      { hang: () => new Promise<void>((resolve) => release.push(resolve)) },
      { serverLimits: { maxCalls: 2 } },
    )
    for (let i = 0; i < 202; i++) {
      const { call, reply } = p.start('hang')
      await p.clock.settle()
      call.cancel(new RpcError('cancelled', 'never mind'))
      await assert.rejects(reply)
    }
    await assert.rejects(
      p.call('hang'),
      (error: RpcError) => error.code === 'resource_exhausted' && isNotExecuted(error),
    )
    release[0]?.()
    await p.clock.settle()
    const accepted = p.call('hang')
    await p.clock.settle()
    release.at(-1)?.()
    await accepted
  })

  it('can open as many streams again as it has left', async () => {
    const limits = { maxStreams: 10 }
    await using p = await pair({ count: () => countTo(1000) }, { serverLimits: limits, clientLimits: limits })
    for (let round = 0; round < 5; round++) {
      const streams = await Promise.all(
        Array.from({ length: 10 }, async () => (await p.call('count')) as Stream),
      )
      await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()))
    }
  })

  it('ends a generator when the reader leaves the loop', async () => {
    let finished = false
    await using p = await pair({
      async *forever() {
        try {
          for (let i = 0; ; i++) yield i
        } finally {
          finished = true
        }
      },
    })
    for await (const item of (await p.call('forever')) as Stream<number>) if (item === 3) break
    await p.clock.settle()
    assert.equal(finished, true)
    assert.equal(p.server.inFlight, 0)
    assert.equal(p.client.inFlight, 0)
  })

  it("ends the caller's generator when the handler has enough", async () => {
    let finished = false
    async function* source() {
      try {
        for (let i = 0; ; i++) yield i
      } finally {
        finished = true
      }
    }
    await using p = await pair({
      async firstThree(_call: Call, numbers: AsyncIterable<number>) {
        const taken: number[] = []
        for await (const n of numbers) {
          taken.push(n)
          if (taken.length === 3) break
        }
        await Promise.resolve()
        return taken
      },
    })
    assert.deepEqual(await p.call('firstThree', [source()]), [0, 1, 2])
    await p.clock.settle()
    assert.equal(finished, true)
  })

  it('bounds the first item of a stream by default, and then lets it live', async () => {
    let release: () => void = () => {}
    await using p = await pair({
      async *slow() {
        yield 1
        await new Promise<void>((resolve) => {
          release = resolve
        })
        yield 2
      },
    })
    const stream = (await p.call('slow')) as Stream<number>
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    await p.clock.advance(60_000)
    release()
    assert.deepEqual(await iterator.next(), { done: false, value: 2 })
  })

  it('bounds the whole stream by an explicit time-out', async () => {
    await using p = await pair({
      async *slow() {
        yield 1
        await new Promise(() => {})
      },
    })
    const stream = (await p.call('slow', [], { deadline: 1000, bounded: true })) as Stream<number>
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    const failed = rejects(iterator.next(), 'deadline_exceeded', /1000 ms/)
    await p.clock.advance(1010)
    await failed
  })

  it('reports a generator that does not end after it was cancelled', async () => {
    await using p = await pair({
      async *stubborn() {
        yield 1
        await new Promise(() => {})
      },
    })
    const stream = (await p.call('stubborn')) as Stream<number>
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    await iterator.return?.()
    await p.clock.advance(5100)
    assert.match(p.reports[0]?.message ?? '', /test\.stubborn was cancelled.*has not ended/)
  })
})

describe('farcall flow control', () => {
  it('never lets a producer run ahead of its consumer by more than the window', async () => {
    let produced = 0
    await using p = await pair(
      {
        async *flood() {
          for (;;) {
            produced++
            yield 'x'.repeat(1000)
          }
        },
      },
      { clientLimits: { streamWindowBytes: 64 * 1024 } },
    )
    const iterator = ((await p.call('flood')) as Stream)[Symbol.asyncIterator]()
    await iterator.next()
    await p.clock.advance(1000)
    assert.ok(produced < 100, `${produced} items were made ahead`)
    for (let i = 0; i < 500; i++) await iterator.next()
    await p.clock.settle()
    assert.ok(produced > 500 && produced < 600, `${produced} items were made`)
    await iterator.return?.()
  })

  it('holds the producer on the client side too', async () => {
    let produced = 0
    async function* flood() {
      for (;;) {
        produced++
        yield 'x'.repeat(1000)
      }
    }
    await using p = await pair(
      { ignore: () => new Promise(() => {}) },
      { serverLimits: { streamWindowBytes: 64 * 1024 } },
    )
    const { call, reply } = p.start('ignore', [flood()])
    await p.clock.advance(1000)
    assert.ok(produced > 10 && produced < 100, `${produced} items were made ahead`)
    call.cancel(new RpcError('cancelled', 'enough'))
    await assert.rejects(reply)
  })

  it('many slow streams in a small connection window do not wait for each other', async () => {
    await using p = await pair(
      {
        async *items() {
          for (let i = 0; i < 100; i++) yield 'x'.repeat(3000)
        },
      },
      { clientLimits: { connectionWindowBytes: 64 * 1024, streamWindowBytes: 64 * 1024 } },
    )
    const streams = await Promise.all(
      Array.from({ length: 5 }, async () => ((await p.call('items')) as Stream)[Symbol.asyncIterator]()),
    )
    for (let taken = 0; taken < 100; taken++) {
      const items = await Promise.all(streams.map((stream) => stream.next()))
      assert.ok(items.every((item) => item.done !== true))
    }
    assert.ok((await Promise.all(streams.map((stream) => stream.next()))).every((item) => item.done === true))
  })

  it('gives the credit of abandoned streams back to the connection', async () => {
    await using p = await pair(
      {
        async *flood() {
          for (;;) yield 'x'.repeat(10_000)
        },
      },
      { clientLimits: { connectionWindowBytes: 128 * 1024, streamWindowBytes: 64 * 1024 } },
    )
    for (let i = 0; i < 20; i++) {
      const iterator = ((await p.call('flood')) as Stream)[Symbol.asyncIterator]()
      await iterator.next()
      await p.clock.settle()
      await iterator.return?.()
      await p.clock.settle()
    }
    assert.equal(p.client.inFlight, 0)
  })

  it('lets small answers pass a large one', async () => {
    const big = 'x'.repeat(8 * 1024 * 1024)
    const limits = { maxMessageBytes: 16 * 1024 * 1024 }
    await using p = await pair(
      { big: () => big, small: () => 1 },
      { clientLimits: limits, serverLimits: limits },
    )
    const order: string[] = []
    await Promise.all([
      p.call('big').then((value) => {
        assert.equal((value as string).length, big.length)
        order.push('big')
      }),
      p.call('small').then(() => order.push('small')),
    ])
    assert.deepEqual(order, ['small', 'big'])
  })

  it('sends large arguments and large items in parts', async () => {
    await using p = await pair({
      size: (_call, text: string) => text.length,
      async *items() {
        for (let i = 0; i < 5; i++) yield 'y'.repeat(300_000 + i)
      },
    })
    assert.equal(await p.call('size', ['x'.repeat(1_000_000)]), 1_000_000)
    assert.equal(await p.call('size', ['x'.repeat(1_000_000)]), 1_000_000)
    const items = (await collect((await p.call('items')) as Stream)) as string[]
    assert.deepEqual(
      items.map((item) => item.length),
      [300_000, 300_001, 300_002, 300_003, 300_004],
    )
  })

  it('lets small calls overtake large ones that have not begun', async () => {
    await using p = await pair({ size: (_call, text: string) => text.length })
    await p.call('size', [''])
    const big = 'x'.repeat(1_000_000)
    const calls = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => p.call('size', [n % 2 === 0 ? big : 'small']))
    assert.deepEqual(
      await Promise.all(calls),
      [1, 2, 3, 4, 5, 6, 7, 8].map((n) => (n % 2 === 0 ? big.length : 5)),
    )
  })

  it('loses no credit on items that are given up in the middle', async () => {
    const limits = { maxMessageBytes: 16 * 1024 * 1024 }
    await using p = await pair(
      {
        async *large() {
          for (;;) yield 'x'.repeat(8_000_000)
        },
      },
      { clientLimits: limits, serverLimits: limits },
    )
    for (let i = 0; i < 10; i++) {
      const { call, reply } = p.start('large')
      const stream = (await reply) as Stream
      call.cancel(new RpcError('cancelled', 'in the middle'))
      await assert.rejects(collect(stream))
    }
    for await (const item of (await p.call('large')) as Stream<string>) {
      assert.equal(item.length, 8_000_000)
      break
    }
  })

  it('gives up an argument item in the middle when the call ends, and the next one passes', async () => {
    const limits = { maxMessageBytes: 16 * 1024 * 1024 }
    async function* large() {
      for (;;) yield 'x'.repeat(8_000_000)
    }
    await using p = await pair(
      {
        early: () => 'done',
        async first(_call: Call, items: AsyncIterable<string>) {
          for await (const item of items) return item.length
          return 0
        },
      },
      { clientLimits: limits, serverLimits: limits },
    )
    for (let i = 0; i < 10; i++) assert.equal(await p.call('early', [large()]), 'done')
    assert.equal(await p.call('first', [large()]), 8_000_000)
  })

  it('an error in the middle of a large item takes its place', async () => {
    const limits = { maxMessageBytes: 16 * 1024 * 1024 }
    await using p = await pair(
      {
        async *large() {
          yield 1
          yield 'x'.repeat(8_000_000)
        },
      },
      { clientLimits: limits, serverLimits: limits },
    )
    const stream = (await p.call('large', [], { deadline: 500, bounded: true })) as Stream
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    p.clientWire.pause()
    const failed = rejects(iterator.next(), 'deadline_exceeded', /500 ms/)
    await p.clock.advance(600)
    await failed
    p.clientWire.resume()
    await p.clock.settle()
    assert.equal(p.client.state, 'ready')
    assert.deepEqual(p.reports, [])
  })

  it('refuses what is larger than allowed, and goes on', async () => {
    await using p = await pair(
      { size: (_call, text: string) => text.length, big: () => 'x'.repeat(2_000_000) },
      { serverLimits: { maxMessageBytes: 1_000_000 }, clientLimits: { maxMessageBytes: 4_000_000 } },
    )
    await p.call('size', ['']) // the limit is known once the preface has come
    await rejects(p.call('size', ['x'.repeat(2_000_000)]), 'resource_exhausted', /at most 1000000/)
    await rejects(p.call('big'), 'resource_exhausted', /at most 1000000|maxMessageBytes/)
    assert.equal(await p.call('size', ['ok']), 2)
  })
})

describe('farcall knowledge and ends', () => {
  it('tells the client once what is known of a method', async () => {
    await using p = await pair(
      { add: () => 3 },
      { info: () => ({ idempotent: true, input: 'values', output: 'value', params: ['a', 'b'] }) },
    )
    await p.call('add')
    assert.deepEqual(p.learned.get('test.add'), {
      idempotent: true,
      input: 'values',
      output: 'value',
      params: ['a', 'b'],
    })
  })

  it('settles a one-way call when it is on its way', async () => {
    const got: unknown[] = []
    await using p = await pair({ note: (_call, x) => got.push(x) })
    assert.equal(await p.call('note', ['a'], { oneway: true }), undefined)
    await p.clock.settle()
    assert.deepEqual(got, ['a'])
    assert.equal(p.server.inFlight, 0)
  })

  it('drains: what is in flight ends well, what comes late was not executed', async () => {
    const release: (() => void)[] = []
    await using p = await pair({
      slow: () => new Promise<string>((resolve) => release.push(() => resolve('done'))),
    })
    const early = p.call('slow')
    await p.clock.settle()
    p.server.drain()
    const late = assert.rejects(
      p.call('slow'),
      (error: RpcError) => error.code === 'unavailable' && isNotExecuted(error),
    )
    await p.clock.settle()
    await late
    assert.equal(p.client.state, 'draining')
    release[0]?.()
    assert.equal(await early, 'done')
    await p.clock.advance(1100)
    assert.equal(p.client.state, 'closed')
    assert.equal(p.server.state, 'closed')
    assert.equal(p.served.length, 1)
  })

  it('fails what is in flight when the connection dies, on both sides', async () => {
    let finished = false
    await using p = await pair({
      hang: () => new Promise(() => {}),
      async *forever() {
        try {
          for (;;) yield 1
        } finally {
          finished = true
        }
      },
    })
    const failed = rejects(p.call('hang'), 'unavailable', /lost before the answer/)
    const stream = (await p.call('forever')) as Stream
    p.clientWire.close(new RpcError('unavailable', 'cable cut'))
    await failed
    await rejects(collect(stream), 'unavailable', /cable cut/)
    await p.clock.settle()
    assert.equal(finished, true)
    assert.equal(p.served[0]?.cancelled?.code, 'cancelled')
    assert.equal(p.server.state, 'closed')
  })

  it('refuses calls after the end, as not executed', async () => {
    await using p = await pair({ echo: () => 1 })
    await p.call('echo')
    const closed = p.client.close()
    await p.clock.advance(1100)
    await closed
    await p.client.close()
    await assert.rejects(
      p.call('echo'),
      (error: RpcError) => error.code === 'unavailable' && isNotExecuted(error),
    )
  })

  it('finds a silent peer dead', async () => {
    await using p = await pair(
      { hang: () => new Promise(() => {}) },
      { clientLimits: { keepaliveMs: 1000, keepaliveTimeoutMs: 500 } },
    )
    const failed = rejects(
      p.call('hang', [], { deadline: Number.POSITIVE_INFINITY }),
      'unavailable',
      /silent/,
    )
    await p.clock.advance(5000) // answered pings keep it alive
    assert.equal(p.client.state, 'ready')
    p.serverWire.onData = () => {}
    await p.clock.advance(2000)
    await failed
  })

  it('refuses a codec that is not spoken, and lists what is', async () => {
    await using p = await pair({ echo: () => 1 }, { codecs: [jsonCodec], clientCodecs: [msgpackCodec] })
    await assert.rejects(p.call('echo'), (error: RpcError) => {
      assert.match(error.message, /codec 'msgpack' is not spoken here; spoken are: json/)
      return error.code === 'unimplemented' && isNotExecuted(error)
    })
  })

  it('carries metadata both ways', async () => {
    await using p = await pair({
      echo: (call) => {
        call.head.set('served-by', 'one')
        call.trailer.set('cost', '3')
        return call.metadata.get('tenant')
      },
    })
    const { call, reply } = p.start('echo')
    call.metadata.set('tenant', 'a')
    assert.equal(await reply, undefined) // too late: a call starts when it is made
    const { Metadata } = await import('../../core/metadata.ts')
    const second = p.start('echo', [], { metadata: new Metadata({ tenant: 'a' }) })
    assert.equal(await second.reply, 'a')
    assert.equal(second.call.head.get('served-by'), 'one')
    assert.equal(second.call.trailer.get('cost'), '3')
  })
})
