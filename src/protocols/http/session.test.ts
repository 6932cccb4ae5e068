import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { jsonCodec } from '../../codecs/json/index.ts'
import type { Call } from '../../core/call.ts'
import { isNotExecuted, markNotExecuted, RpcError } from '../../core/error.ts'
import { Metadata } from '../../core/metadata.ts'
import type { Stream } from '../../core/stream.ts'
import { createSessionPair, type SessionPairOptions } from '../../testing/session-pair.ts'
import { createHttpProtocol } from './index.ts'

type Fn = (call: Call, ...args: never[]) => unknown

// Our client against our server, over memory and in virtual time.
function pair(functions: Record<string, Fn>, options: Partial<SessionPairOptions> = {}) {
  return createSessionPair({
    protocol: createHttpProtocol(),
    codecs: [jsonCodec],
    handler: (call) => {
      const fn = functions[call.method]
      if (fn === undefined) throw new RpcError('not_found', `no method ${call.method}`)
      return fn(call, ...(call.args.list as never[]))
    },
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

const later = <T>(value: T) => new Promise<T>((resolve) => queueMicrotask(() => resolve(value)))

describe('http sessions', () => {
  it('answer one call after the other on one connection', async () => {
    await using p = await pair({ echo: (_call, x) => x, later: (_call, x) => later(x) })
    for (const value of [1, 'ü\n', [1, { a: null }], { a: 1, b: [true] }, null, {}]) {
      assert.deepEqual(await p.call('echo', [value]), value)
      assert.deepEqual(await p.call('later', [value]), value)
    }
    assert.equal(p.client.inFlight, 0)
    assert.equal(p.server.inFlight, 0)
    assert.equal(p.client.state, 'ready')
  })

  it('carry values that JSON has not, and nothing at all', async () => {
    await using p = await pair({ echo: (_call, x) => x, nothing: () => undefined })
    const value = {
      when: new Date(5),
      big: 2n ** 70n,
      bytes: new Uint8Array([1]),
      map: new Map([[1, 'a']]),
      none: undefined,
    }
    assert.deepEqual(await p.call('echo', [value]), value)
    assert.equal(await p.call('nothing'), undefined)
    assert.deepEqual(await p.call('echo', [{ $date: 'no tag' }]), { $date: 'no tag' })
  })

  it('carry arguments by name, and a message as itself', async () => {
    await using p = await pair({
      show: ({ args }) => ({
        list: args.list,
        named: [...(args.named ?? [])],
        message: args.message === true,
      }),
    })
    const named = new Map<string, unknown>([
      ['__proto__', 1],
      ['b', { c: 2 }],
    ])
    assert.deepEqual(await p.call('show', [], { args: { list: [], named } }), {
      list: [],
      named: [
        ['__proto__', 1],
        ['b', { c: 2 }],
      ],
      message: false,
    })
    assert.deepEqual(await p.call('show', [], { args: { list: [{ a: 1 }], message: true } }), {
      list: [{ a: 1 }],
      named: [],
      message: true,
    })
  })

  it('carry metadata both ways, attempt, key and time', async () => {
    await using p = await pair({
      show: (call) => {
        call.head.set('seen', 'ü, %41 ')
        call.trailer.set('after', 'x')
        return [
          ...call.metadata,
          ['key', call.key],
          ['attempt', call.attempt],
          ['left', call.remainingMs()],
          ['bounded', call.bounded],
        ]
      },
    })
    const metadata = new Metadata({ tenant: ' 50% ü ', traceparent: '00-a-b-01', authorization: 'Bearer x' })
    const { call, reply } = p.start('show', [], {
      metadata,
      key: 'k 1',
      attempt: 3,
      deadline: 250,
      bounded: true,
    })
    assert.deepEqual(await reply, [
      ['tenant', ' 50% ü '],
      ['traceparent', '00-a-b-01'],
      ['authorization', 'Bearer x'],
      ['key', 'k 1'],
      ['attempt', 3],
      ['left', 250],
      ['bounded', true],
    ])
    assert.equal(call.head.get('seen'), 'ü, %41 ')
    assert.equal(call.trailer.get('after'), 'x')
  })

  it('say which argument or result cannot travel, and go on', async () => {
    await using p = await pair({ bad: () => ({ a: [() => 1] }), ok: () => 1 })
    await rejects(p.call('bad'), 'internal', /result of test\.bad cannot be sent.*\$\.a\[0\].*function/)
    const error = await p.call('ok', [() => 1]).catch((thrown: unknown) => thrown)
    assert.ok(isNotExecuted(error))
    assert.equal(await p.call('ok'), 1)
  })

  it('send a one-way call and are free once it has arrived', async () => {
    const seen: unknown[] = []
    await using p = await pair({
      note: (_call, x) => void seen.push(x),
      fail: () => Promise.reject(new Error('x')),
    })
    assert.equal(await p.call('note', [1], { oneway: true }), undefined)
    await p.clock.settle()
    assert.equal(await p.call('fail', [], { oneway: true }), undefined)
    await p.clock.settle()
    assert.deepEqual(seen, [1])
    assert.equal(p.server.inFlight, 0)
    assert.equal(p.client.inFlight, 0)
  })
})

describe('http errors', () => {
  it('carry code, message, reason, details and metadata', async () => {
    await using p = await pair({
      fail: () => {
        throw new RpcError('out_of_range', 'too far', {
          reason: 'far',
          details: { max: 3n },
          metadata: { hint: 'less' },
        })
      },
      again: () => {
        throw markNotExecuted(new RpcError('unavailable', 'not now'))
      },
      odd: () => {
        throw new RpcError('aborted', 'odd', { details: () => 1 })
      },
    })
    await assert.rejects(p.call('fail'), {
      code: 'out_of_range',
      message: 'too far',
      reason: 'far',
      details: { max: 3n },
      metadata: { hint: 'less' },
      phase: 'receive',
    })
    const { call, reply } = p.start('again')
    await assert.rejects(reply)
    assert.equal(call.notExecuted, true)
    assert.equal(call.headAt, 0)
    await rejects(p.call('odd'), 'aborted', /^odd \(its details were left out/)
  })

  it('a deadline ends the call on both sides, and the connection', async () => {
    await using p = await pair({ never: () => new Promise(() => {}) })
    const { reply } = p.start('never', [], { deadline: 100 })
    const settled = assert.rejects(reply, { code: 'deadline_exceeded' })
    await p.clock.advance(120)
    await settled
    assert.ok(p.served[0]?.ended)
    await p.clock.advance(2000)
    assert.equal(p.client.state, 'closed')
    assert.equal(p.server.inFlight, 0)
  })

  it('a call that is given up is cancelled on the server', async () => {
    const seen: string[] = []
    await using p = await pair({
      wait: (call) =>
        new Promise(() => {
          call.onCancel((reason) => seen.push(reason.code))
        }),
    })
    const { call, reply } = p.start('wait')
    await p.clock.settle()
    call.cancel(new RpcError('cancelled', 'enough'))
    await rejects(reply, 'cancelled', /enough/)
    await p.clock.advance(10)
    assert.deepEqual(seen, ['cancelled'])
  })

  it('a lost connection fails the call, which may have been executed', async () => {
    await using p = await pair({ wait: () => new Promise(() => {}) })
    const { call, reply } = p.start('wait')
    await p.clock.settle()
    p.serverWire.close()
    await rejects(reply, 'unavailable', /was lost before the answer/)
    assert.equal(call.notExecuted, false)
  })

  it('a stream argument is not for this protocol, and the error says what is', async () => {
    await using p = await pair({ total: () => 1 })
    await rejects(p.call('total', [countTo(3)]), 'unimplemented', /takes a stream.*'http' cannot carry.*tcp:/)
  })
})

describe('http streams', () => {
  it('arrive item by item, with metadata before and after', async () => {
    await using p = await pair({
      async *count(call: Call, n: number) {
        call.head.set('from', '1')
        yield* countTo(n)
        call.trailer.set('sum', '6')
      },
      empty: () => countTo(0),
      async *odd() {
        yield { $end: { error: 1 } }
        yield { $end: 1, more: 2 }
        yield undefined
        yield 'a\nb'
      },
    })
    const { call, reply } = p.start('count', [3])
    assert.deepEqual(await collect((await reply) as Stream), [1, 2, 3])
    assert.equal(call.head.get('from'), '1')
    assert.equal(call.trailer.get('sum'), '6')
    assert.deepEqual(await collect((await p.call('empty')) as Stream), [])
    const odd = [{ $end: { error: 1 } }, { $end: 1, more: 2 }, undefined, 'a\nb']
    assert.deepEqual(await collect((await p.call('odd')) as Stream), odd)
    assert.equal(p.client.inFlight, 0)
    assert.equal(p.server.inFlight, 0)
    assert.equal(await p.call('odd', [], {}).then(() => 1), 1)
  })

  it('fail where they fail', async () => {
    await using p = await pair({
      async *after() {
        yield 1
        throw new RpcError('aborted', 'later', { details: [1n] })
      },
      // oxlint-disable-next-line require-yield
      async *atOnce() {
        throw new RpcError('not_found', 'nothing')
      },
      async *unsendable() {
        yield 1
        yield () => 1
      },
    })
    const stream = (await p.call('after')) as Stream
    const items: unknown[] = []
    await assert.rejects(
      async () => {
        for await (const item of stream) items.push(item)
      },
      { code: 'aborted', message: 'later', details: [1n] },
    )
    assert.deepEqual(items, [1])
    await rejects(p.call('atOnce'), 'not_found', /nothing/)
    await assert.rejects(collect((await p.call('unsendable')) as Stream), { code: 'internal' })
    assert.equal(p.client.state, 'ready')
  })

  it('are made no faster than they are read', async () => {
    let made = 0
    await using p = await pair(
      {
        async *large() {
          for (; made < 1000; made++) yield 'x'.repeat(10_000)
        },
      },
      { clientLimits: { streamWindowBytes: 50_000 }, serverLimits: { streamWindowBytes: 50_000 } },
    )
    const stream = (await p.call('large')) as Stream
    await p.clock.settle()
    const before = made
    assert.ok(before < 200, `${before} of 1000 were made for a reader that does not read`)
    assert.equal((await collect(stream)).length, 1000)
  })

  it('end when the reader leaves', async () => {
    let ended = false
    await using p = await pair({
      async *forever() {
        try {
          for (let i = 0; ; i++) yield i
        } finally {
          ended = true
        }
      },
    })
    for await (const item of (await p.call('forever')) as Stream) if (item === 3) break
    await p.clock.advance(2000)
    assert.equal(ended, true)
    assert.equal(p.client.state, 'closed')
    assert.equal(p.server.state, 'closed')
  })

  it('live on after the deadline for their beginning; one for the whole ends them', async () => {
    const wait = (call: Call, ms: number) => new Promise<void>((resolve) => call.clock.after(ms, resolve))
    await using p = await pair({
      async *slow(call: Call) {
        yield 1
        await wait(call, 500)
        yield 2
      },
    })
    const first = (await p.call('slow', [], { deadline: 100 })) as Stream
    const items = collect(first)
    await p.clock.advance(600)
    assert.deepEqual(await items, [1, 2])
    const bounded = (await p.call('slow', [], { deadline: p.clock.now() + 100, bounded: true })) as Stream
    const failed = assert.rejects(collect(bounded), { code: 'deadline_exceeded' })
    await p.clock.advance(700)
    await failed
  })

  it('a generator that does not end is reported', async () => {
    await using p = await pair({
      async *stuck() {
        yield 1
        await new Promise(() => {})
      },
    })
    for await (const _ of (await p.call('stuck')) as Stream) break
    await p.clock.advance(6000)
    assert.match(p.reports.map(({ message }) => message).join(), /generator has not ended/)
  })
})

describe('http draining', () => {
  it('the server finishes what it has and ends; the client makes no more calls', async () => {
    let finish = () => {}
    await using p = await pair({ wait: () => new Promise<number>((resolve) => (finish = () => resolve(7))) })
    const { reply } = p.start('wait')
    await p.clock.settle()
    p.server.drain()
    finish()
    assert.equal(await reply, 7)
    await p.clock.advance(2000)
    assert.equal(p.server.state, 'closed')
    const { call, reply: refused } = p.start('wait')
    await rejects(refused, 'unavailable', /connection to/)
    assert.equal(call.notExecuted, true)
  })

  it('closing ends the call in flight', async () => {
    await using p = await pair({ wait: () => new Promise(() => {}) })
    const { reply } = p.start('wait')
    const settled = rejects(reply, 'unavailable', /closed the connection/)
    await p.clock.settle()
    const closed = p.server.close()
    await p.clock.advance(2000)
    await closed
    await settled
  })
})
