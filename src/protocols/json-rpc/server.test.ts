import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import type { Limits } from '../../core/limits.ts'
import { seededRandom } from '../../core/random.ts'
import { createRouter } from '../../core/router.ts'
import { service } from '../../core/service.ts'
import { serveScript, testRoom } from '../json-head/session-rig.suite.ts'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import { answerJsonRpc, jsonRpcProtocol } from './index.ts'

const notified: unknown[] = []
const math = service('math', {
  subtract: (minuend: number, subtrahend: number) => minuend - subtrahend,
  sum: (...numbers: number[]) => numbers.reduce((a, b) => a + b, 0),
  get_data: () => ['hello', 5],
  update: (...list: unknown[]) => void notified.push(list),
  fail(code: string) {
    throw new RpcError(code as 'aborted', 'on purpose', { reason: 'why', details: { a: 1n } })
  },
  lookup() {
    throw new RpcError('not_found', 'no such user')
  },
  echo: (value: unknown) => value,
  async *count() {
    yield 1
  },
})

function handler(): Handler {
  const router = createRouter({ random: seededRandom(1), onInternalError: () => {} })
  router.add(math)
  return router.handler
}
const serve = (given: Handler = handler(), limits: Partial<Limits> = {}) =>
  serveScript(jsonRpcProtocol, given, limits)

// The examples of the specification of JSON-RPC 2.0, in its own words; and more.
const version2: [name: string, sent: string, answer: string | RegExp | undefined][] = [
  [
    'positional',
    '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
    '{"jsonrpc":"2.0","id":1,"result":19}',
  ],
  [
    'by name',
    '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
    '{"jsonrpc":"2.0","id":3,"result":19}',
  ],
  [
    'with its service',
    '{"jsonrpc": "2.0", "method": "math.subtract", "params": [42, 23], "id": "a"}',
    '{"jsonrpc":"2.0","id":"a","result":19}',
  ],
  ['a notification', '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', undefined],
  ['a notification of nobody', '{"jsonrpc": "2.0", "method": "foobar"}', undefined],
  [
    'no such method',
    '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
    /^\{"jsonrpc":"2.0","id":"1","error":\{"code":-32601,"message":"no service has a method 'foobar'.*"data":\{"code":"not_found"\}\}\}$/,
  ],
  [
    'an invalid request',
    '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
    /^\{"jsonrpc":"2.0","id":null,"error":\{"code":-32600/,
  ],
  [
    'params that are neither',
    '{"jsonrpc": "2.0", "method": "sum", "params": "bar", "id": 1}',
    /"id":1,"error":\{"code":-32600/,
  ],
  [
    'an id that is none',
    '{"jsonrpc": "2.0", "method": "sum", "id": [1]}',
    /"id":null,"error":\{"code":-32600/,
  ],
  [
    'another version',
    '{"jsonrpc": "3.0", "method": "sum", "id": 1}',
    /"id":1,"error":\{"code":-32600.*jsonrpc/,
  ],
  ['an empty batch', '[]', /^\{"jsonrpc":"2.0","id":null,"error":\{"code":-32600/],
  ['a batch of nonsense', '[1]', /^\[\{"jsonrpc":"2.0","id":null,"error":\{"code":-32600[^[]*\]$/],
  [
    'a batch of notifications',
    '[{"jsonrpc": "2.0", "method": "update"},{"jsonrpc": "2.0", "method": "update"}]',
    undefined,
  ],
  [
    'a batch',
    `[
        {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
        {"jsonrpc": "2.0", "method": "update", "params": [7]},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ]`,
    /^\[\{"jsonrpc":"2.0","id":"1","result":7\},\{[^{]*"id":null,"error":\{"code":-32600.*"id":"5","error":\{"code":-32601.*"id":"9","result":\["hello",5\]\}\]$/,
  ],
  [
    'an error with everything',
    '{"jsonrpc":"2.0","method":"fail","params":["aborted"],"id":1}',
    '{"jsonrpc":"2.0","id":1,"error":{"code":-32010,"message":"on purpose","data":{"code":"aborted","reason":"why","details":{"a":1}}}}',
  ],
  [
    'something else was not found',
    '{"jsonrpc":"2.0","method":"lookup","id":1}',
    /"code":-32005,"message":"no such user"/,
  ],
  [
    'wrong arguments',
    '{"jsonrpc":"2.0","method":"subtract","params":[1],"id":1}',
    /"code":-32602,"message":"math.subtract is missing argument/,
  ],
  ['a stream', '{"jsonrpc":"2.0","method":"count","id":1}', /"code":-32012,.*cannot carry/],
  ['JSON that is none, but ends', '{"jsonrpc": "2.0", "method": tru}', /"id":null,"error":\{"code":-32700/],
  [
    'an id beyond 2^53',
    '{"jsonrpc":"2.0","method":"echo","params":[98765432109876543210],"id":12345678901234567890}',
    '{"jsonrpc":"2.0","id":12345678901234567890,"result":98765432109876543210}',
  ],
  ['an id of null', '{"jsonrpc":"2.0","method":"sum","id":null}', '{"jsonrpc":"2.0","id":null,"result":0}'],
  ['NaN', '{"jsonrpc":"2.0","method":"echo","params":[NaN],"id":1}', /-32700/],
  ['an answer', '{"jsonrpc":"2.0","result":1,"id":1}', undefined],
  [
    '__proto__',
    '{"jsonrpc":"2.0","method":"__proto__.x","params":{"__proto__":1},"id":1}',
    /-32601,"message":"unknown service '__proto__'/,
  ],
  [
    '__proto__ by name',
    '{"jsonrpc":"2.0","method":"echo","params":{"__proto__":1},"id":1}',
    /-32602.*has no parameter '__proto__'/,
  ],
  [
    'a key twice: the last counts',
    '{"jsonrpc":"2.0","method":"nope","method":"sum","id":1}',
    '{"jsonrpc":"2.0","id":1,"result":0}',
  ],
]

const version1: typeof version2 = [
  ['one argument', '{"method":"math.echo","params":[5],"id":0}', '{"id":0,"result":5,"error":null}'],
  [
    'a struct spread over the parameters',
    '{"method":"math.subtract","params":[{"minuend":3,"subtrahend":1}],"id":1}',
    '{"id":1,"result":2,"error":null}',
  ],
  ['several', '{"method":"math.subtract","params":[3,1],"id":1}', '{"id":1,"result":2,"error":null}'],
  [
    'nothing',
    '{"method":"math.get_data","params":[null],"id":1}',
    '{"id":1,"result":["hello",5],"error":null}',
  ],
  [
    'an empty struct',
    '{"method":"math.get_data","params":[{}],"id":1}',
    '{"id":1,"result":["hello",5],"error":null}',
  ],
  [
    'an error',
    '{"method":"math.fail","params":["aborted"],"id":{"any":["id"]}}',
    '{"id":{"any":["id"]},"result":null,"error":"on purpose"}',
  ],
  [
    'no such method',
    '{"method":"Arith.Nope","params":[{}],"id":7}',
    /^\{"id":7,"result":null,"error":"unknown service 'Arith'/,
  ],
  ['a notification', '{"method":"math.update","params":[1],"id":null}', undefined],
  ['no result', '{"method":"math.update","params":[1],"id":1}', '{"id":1,"result":null,"error":null}'],
]

describe('json-rpc server: requests and answers', () => {
  for (const [name, sent, answer] of [...version2, ...version1]) {
    it(`${sent.includes('jsonrpc') ? '2.0' : '1.0'}: ${name}`, async () => {
      const rig = await serve()
      const got = await rig.ask(sent)
      if (answer === undefined) assert.equal(got, '')
      else if (typeof answer === 'string') assert.equal(got, `${answer}\n`)
      else assert.match(got.trimEnd(), answer)
      assert.equal(
        await rig.ask('{"jsonrpc":"2.0","method":"sum","params":[1,1],"id":9}'),
        '{"jsonrpc":"2.0","id":9,"result":2}\n',
      )
      assert.equal(rig.session.inFlight, 0)
    })
  }

  it('answers over HTTP with the same texts', async () => {
    for (const [name, sent, answer] of [...version2, ...version1]) {
      const room = testRoom(createVirtualClock())
      const { text } = answerJsonRpc(new TextEncoder().encode(sent), handler(), { room })
      const got = await text
      if (answer === undefined || typeof answer === 'string') assert.equal(got, answer, name)
      else assert.match(got ?? '', answer)
    }
    const room = testRoom(createVirtualClock())
    for (const body of ['', '{', '{}{}', 'x', '{"jsonrpc":"2.0","method":"sum","id":1} x', '['.repeat(1e6)]) {
      const { text } = answerJsonRpc(new TextEncoder().encode(body), handler(), { room })
      assert.match((await text) ?? '', /"code":-32700/)
    }
  })
})

describe('json-rpc server: many at once', () => {
  it('answers in any order, back to back or by lines', async () => {
    const waiting = new Map<string, (value: unknown) => void>()
    const rig = await serve((call) => new Promise((resolve) => waiting.set(call.method, resolve)))
    assert.equal(
      await rig.ask(
        '{"jsonrpc":"2.0","method":"a","id":1}{"method":"b","params":[],"id":2}\n\n{"jsonrpc":"2.0","method":"c","id":3}\n',
      ),
      '',
    )
    assert.equal(rig.session.inFlight, 3)
    waiting.get('c')?.(3)
    waiting.get('b')?.(2)
    assert.equal(await rig.ask(''), '{"jsonrpc":"2.0","id":3,"result":3}\n{"id":2,"result":2,"error":null}\n')
    waiting.get('a')?.(1)
    assert.equal(await rig.ask(''), '{"jsonrpc":"2.0","id":1,"result":1}\n')
  })

  it('holds a batch until its last answer', async () => {
    const waiting: ((value: unknown) => void)[] = []
    const rig = await serve(() => new Promise((resolve) => waiting.push(resolve)))
    await rig.ask('[{"jsonrpc":"2.0","method":"a","id":1},{"jsonrpc":"2.0","method":"b","id":2}]')
    waiting[1]?.('b')
    assert.equal(await rig.ask(''), '')
    waiting[0]?.('a')
    assert.equal(
      await rig.ask(''),
      '[{"jsonrpc":"2.0","id":2,"result":"b"},{"jsonrpc":"2.0","id":1,"result":"a"}]\n',
    )
  })

  it('takes one byte at a time', async () => {
    const rig = await serve()
    const bytes = new TextEncoder().encode('{"jsonrpc":"2.0","method":"echo","params":["ä€😀\\"}"],"id":1}')
    for (const byte of bytes.subarray(0, -1)) assert.equal(await rig.ask(Uint8Array.of(byte)), '')
    assert.equal(await rig.ask(bytes.subarray(-1)), '{"jsonrpc":"2.0","id":1,"result":"ä€😀\\"}"}\n')
  })

  it('refuses what is more than it takes at once', async () => {
    const rig = await serve(() => new Promise(() => {}), { maxCalls: 2 })
    const ask = (id: number) => rig.ask(`{"jsonrpc":"2.0","method":"a","id":${id}}`)
    assert.equal((await ask(1)) + (await ask(2)), '')
    assert.match(await ask(3), /"id":3,"error":\{"code":-32008.*"notExecuted":true/)
    assert.match(await rig.ask(`[${'1,'.repeat(9)}1]`), /^\{.*"code":-32600.*at most 2 requests/)
  })

  it('refuses the answers of a batch that are together too large', async () => {
    const rig = await serve(() => 'x'.repeat(600), { maxMessageBytes: 1000 })
    assert.match(
      await rig.ask('[{"jsonrpc":"2.0","method":"a","id":1},{"jsonrpc":"2.0","method":"a","id":2}]'),
      /^\{"jsonrpc":"2.0","id":null,"error":\{"code":-32008/,
    )
  })

  it('drains: finishes what runs, refuses more, ends', async () => {
    const gate = Promise.withResolvers<unknown>()
    const rig = await serve(() => gate.promise)
    await rig.ask('{"jsonrpc":"2.0","method":"a","id":1}')
    rig.session.drain()
    assert.match(await rig.ask('{"jsonrpc":"2.0","method":"b","id":2}'), /"id":2,"error":\{"code":-32014/)
    gate.resolve(1)
    assert.match(await rig.rest(), /"id":1,"result":1/)
  })

  it('answers a peer that has ended its side, then ends', async () => {
    const rig = await serve(async () => 1)
    rig.peer.send('{"method":"a","params":[0],"id":1}')
    rig.peer.wire.end()
    assert.equal(await rig.rest(), '{"id":1,"result":1,"error":null}\n')
  })

  it('cancels what runs for a peer that is gone, and on closing', async () => {
    const cancelled: string[] = []
    const hang: Handler = (call) => {
      call.onCancel((reason) => cancelled.push(reason.code))
      return new Promise(() => {})
    }
    const first = await serve(hang)
    await first.ask('{"jsonrpc":"2.0","method":"a","id":1}')
    first.peer.wire.close()
    await first.clock.settle()
    const second = await serve(hang)
    await second.ask('{"jsonrpc":"2.0","method":"a","id":1}')
    void second.session.close()
    assert.match(await second.rest(), /"id":1,"error":\{"code":-32014/)
    assert.deepEqual(cancelled, ['cancelled', 'unavailable'])
    assert.equal(first.session.inFlight + second.session.inFlight, 0)
  })
})

describe('json-rpc server: hostile input', () => {
  const rows: [name: string, sent: string, answer: RegExp][] = [
    [
      'garbage after a value',
      '{"jsonrpc":"2.0","method":"sum","id":1}GET /',
      /^\{"jsonrpc":"2.0","id":1,"result":0\}\n\{.*-32700.*'G'/,
    ],
    ['a string with a line break', '{"jsonrpc": "2.0", "method": "foobar\n', /-32700.*control character/],
    ['a scalar', '42', /-32700/],
  ]
  for (const [name, sent, answer] of rows) {
    it(`${name}: an answer that says so, then the end`, async () => {
      const rig = await serve()
      rig.peer.send(sent)
      await rig.clock.settle()
      assert.match(await rig.rest(), answer)
      await rig.clock.advance(1000)
      assert.equal(rig.session.state, 'closed')
    })
  }

  it('garbage does not take away the answers of calls that run', async () => {
    const gate = Promise.withResolvers<unknown>()
    const rig = await serve(() => gate.promise)
    await rig.ask('{"jsonrpc":"2.0","method":"a","id":1}!')
    gate.resolve(5)
    assert.match(await rig.rest(), /"id":1,"result":5/)
  })

  it('10 MiB: refused by its id where that is known, and the next is answered', async () => {
    const rig = await serve()
    const big = 'x'.repeat(10 * 1024 * 1024)
    assert.match(
      await rig.ask(`{"jsonrpc":"2.0","id":7,"method":"echo","params":["${big}"]}`),
      /^\{"jsonrpc":"2.0","id":7,"error":\{"code":-32008/,
    )
    assert.match(
      await rig.ask(`{"jsonrpc":"2.0","method":"echo","params":["${big}"],"id":8}`),
      /^\{"jsonrpc":"2.0","id":null,"error":\{"code":-32008/,
    )
    assert.match(await rig.ask('{"jsonrpc":"2.0","method":"sum","id":9}'), /"result":0/)
  })

  it('nesting of a million: refused at no cost', async () => {
    const rig = await serve()
    const start = performance.now()
    assert.match(
      await rig.ask(`{"id":4,"method":"echo","params":${'['.repeat(1e6)}${']'.repeat(1e6)}}`),
      /nested deeper/,
    )
    assert.match(await rig.ask(`${'['.repeat(1e6)}${']'.repeat(1e6)}`), /nested deeper/)
    assert.ok(performance.now() - start < 1000)
  })

  it('a value that never ends, and one that does not go on', async () => {
    const endless = await serve(handler(), { maxMessageBytes: 10_000 })
    for (let i = 0; i < 50; i++) await endless.ask(i === 0 ? '{"method":"' : 'x'.repeat(1000))
    await endless.clock.advance(1000)
    assert.equal(endless.session.state, 'closed')
    const stopped = await serve()
    await stopped.ask('{"method":"a')
    await stopped.clock.advance(31_000)
    assert.equal(stopped.session.state, 'closed')
  })

  it('ill-formed UTF-8 is a parse error', async () => {
    const rig = await serve()
    assert.match(
      await rig.ask(Uint8Array.of(0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d)),
      /-32700.*UTF-8/,
    )
  })

  it('an id nested as deep as a message may be comes back', async () => {
    const rig = await serve()
    const id = `${'['.repeat(66)}${']'.repeat(66)}`
    assert.equal(
      await rig.ask(`{"id":${id},"method":"sum","params":[]}`),
      `{"id":${id},"result":0,"error":null}\n`,
    )
  })
})
