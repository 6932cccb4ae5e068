import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { errorCodes } from '../../core/code.ts'
import { isNotExecuted, RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import { createSessionPair } from '../../testing/session-pair.ts'
import { assertRpcError, dialScript } from '../json-head/session-rig.suite.ts'
import { createJsonRpcProtocol, jsonRpcProtocol } from './index.ts'

const first = createJsonRpcProtocol({ version: '1.0' })
const named = new Map<string, unknown>([['a', 1]])

describe('json-rpc client: what it sends', () => {
  it('2.0: by position, by name, and notifications without an id', async () => {
    const rig = await dialScript(jsonRpcProtocol)
    rig.start('add', [1, 2n ** 70n], { service: 'math' })
    rig.start('add', [], { args: { list: [], named } })
    assert.equal(await rig.start('log', ['x'], { oneway: true }).reply, undefined)
    assert.equal(
      await rig.sent(),
      '{"jsonrpc":"2.0","id":0,"method":"math.add","params":[1,1180591620717411303424]}\n' +
        '{"jsonrpc":"2.0","id":1,"method":"add","params":{"a":1}}\n' +
        '{"jsonrpc":"2.0","method":"log","params":["x"]}\n',
    )
    assertRpcError(
      await rig.start('add', [1], { args: { list: [1], named } }).reply,
      'invalid_argument',
      /not both/,
    )
    assertRpcError(
      await rig.start('add', [Number.NaN]).reply,
      'invalid_argument',
      /NaN is a number that JSON has not/,
    )
    const { reply } = rig.start('add', [(async function* () {})()])
    assert.ok(isNotExecuted(await reply))
    await rig.close()
  })

  it('1.0: exactly one argument', async () => {
    const rig = await dialScript(first)
    rig.start('Multiply', [{ A: 7, B: 8 }], { service: 'Arith' })
    rig.start('Multiply', [], { args: { list: [], named } })
    rig.start('Nothing', [])
    const info = { params: ['a', 'b'], idempotent: false, input: 'values', output: 'value' } as const
    rig.start('Two', [1, 2], { info })
    rig.start('Log', [1], { oneway: true })
    assert.equal(
      await rig.sent(),
      '{"id":0,"method":"Arith.Multiply","params":[{"A":7,"B":8}]}\n' +
        '{"id":1,"method":"Multiply","params":[{"a":1}]}\n' +
        '{"id":2,"method":"Nothing","params":[]}\n' +
        '{"id":3,"method":"Two","params":[{"a":1,"b":2}]}\n' +
        '{"id":null,"method":"Log","params":[1]}\n',
    )
    assertRpcError(await rig.start('Two', [1, 2]).reply, 'invalid_argument', /sends one argument/)
    await rig.close()
  })
})

describe('json-rpc client: what it is answered', () => {
  it('in any order, by lines, in batches, with late and strange ones between', async () => {
    const rig = await dialScript(jsonRpcProtocol)
    const replies = [1, 2, 3, 4].map((n) => rig.start('f', [n]))
    const given = rig.start('f', [5])
    await rig.clock.settle()
    given.call.cancel(new RpcError('cancelled', 'enough'))
    assertRpcError(await given.reply, 'cancelled', /enough/)
    rig.peer.send(
      '{"id":3,"result":null}{"id":4,"result":1}\n{"id":99,"result":1}{"id":"x","result":1}{"method":"hello"}{"id":7,"method":"ask"}',
    )
    rig.peer.send('[{"id":1,"result":"b"},{"jsonrpc":"2.0","id":0,"result":12345678901234567890}]\n{"id":2}')
    await rig.clock.settle()
    const [a, b, c, d] = await Promise.all(replies.map(({ reply }) => reply))
    assert.deepEqual([a, b, d], [12345678901234567890n, 'b', null])
    assertRpcError(c, 'internal', /neither 'result' nor 'error'/)
    assert.equal(rig.reports.length, 2)
    assert.equal(rig.client.inFlight, 0)
    await rig.close()
  })

  const errors: [text: string, code: string, message: RegExp, details?: unknown][] = [
    ['{"code":-32700,"message":"Parse error"}', 'internal', /^Parse error$/],
    ['{"code":-32600,"message":"m"}', 'internal', /^m$/],
    ['{"code":-32601,"message":"Method not found"}', 'not_found', /^Method not found$/],
    ['{"code":-32602,"message":"m","data":[1]}', 'invalid_argument', /^m$/, [1]],
    ['{"code":-32603,"message":"m"}', 'internal', /^m$/],
    ['{"code":-32002,"message":"m","data":5}', 'unknown', /^m$/, { code: -32002, data: 5 }],
    ['{"code":42}', 'unknown', /^error 42$/, { code: 42, data: undefined }],
    ['"rpc: can\'t find service Foo.Bar"', 'not_found', /^rpc: can't find service Foo.Bar$/],
    ['"rpc: can\'t find method Foo.Bar"', 'not_found', /Bar$/],
    ['"divide by zero"', 'unknown', /^divide by zero$/],
    ['[1]', 'unknown', /^\[1\]$/],
    ['{"code":-32000,"message":"m","data":{"code":"aborted","details":{"x":1}}}', 'aborted', /^m$/, { x: 1 }],
  ]
  for (const [text, code, message, details] of errors) {
    it(`the error ${text}`, async () => {
      for (const protocol of [jsonRpcProtocol, first]) {
        const rig = await dialScript(protocol)
        const { reply } = rig.start('f', [])
        await rig.clock.settle()
        rig.peer.send(`{"id":0,"result":null,"error":${text}}\n`)
        const error = await reply
        assertRpcError(error, code, message)
        if (details !== undefined) assert.deepEqual(error.details, details)
        await rig.close()
      }
    })
  }

  it('an error of no call in particular ends all', async () => {
    const rig = await dialScript(jsonRpcProtocol)
    const replies = [rig.start('f', []), rig.start('f', [])]
    await rig.clock.settle()
    rig.peer.send('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}')
    for (const { reply } of replies) assertRpcError(await reply, 'internal', /Parse error/)
    await rig.clock.advance(2000)
    assert.equal(rig.client.state, 'closed')
  })

  it('what is lost, and what is no JSON', async () => {
    for (const [act, code, message] of [
      [(end) => end.wire.end(), 'unavailable', /lost before the answer: the connection ended/],
      [(end) => end.wire.close(), 'unavailable', /lost before the answer/],
      [(end) => end.send('Traceback'), 'internal', /the answer is no JSON/],
      [(end) => end.send('{"id":0,"result":tru}'), 'invalid_argument', /no valid JSON/],
      [(end) => end.send(`{"id":0,"result":"${'x'.repeat(5_000_000)}"}`), 'resource_exhausted', /4194304/],
    ] as [(end: Awaited<ReturnType<typeof dialScript>>['peer']) => void, string, RegExp][]) {
      const rig = await dialScript(jsonRpcProtocol)
      const { reply } = rig.start('f', [])
      await rig.clock.settle()
      act(rig.peer)
      assertRpcError(await reply, code, message)
      await rig.close()
    }
  })

  it('an answer that is too large spares the other calls', async () => {
    const rig = await dialScript(jsonRpcProtocol)
    const [big, small] = [rig.start('f', []), rig.start('f', [])]
    await rig.clock.settle()
    rig.peer.send(`{"jsonrpc":"2.0","id":0,"result":"${'x'.repeat(5_000_000)}"}{"id":1,"result":2}`)
    assertRpcError(await big.reply, 'resource_exhausted', /4194304/)
    assert.equal(await small.reply, 2)
    await rig.close()
  })
})

describe('json-rpc client and server', () => {
  const echo: Handler = (call) => {
    const [value] = call.args.list
    if (errorCodes.includes(value as 'aborted'))
      throw new RpcError(value as 'aborted', `it is ${String(value)}`, { details: { value } })
    return call.args.named === undefined ? call.args.list : Object.fromEntries(call.args.named)
  }
  it('2.0: values, names and every code arrive as they were sent', async () => {
    await using pair = await createSessionPair({ protocol: jsonRpcProtocol, codecs: [], handler: echo })
    assert.deepEqual(await pair.call('f', [1, 'ä', null, [2n ** 64n]]), [1, 'ä', null, [2n ** 64n]])
    assert.deepEqual(await pair.call('f', [], { args: { list: [], named } }), { a: 1 })
    for (const code of errorCodes) {
      const details = { value: code }
      await assert.rejects(pair.call('f', [code]), { code, message: `it is ${code}`, details })
    }
  })
  it('1.0: a value, and an error as its text', async () => {
    await using pair = await createSessionPair({ protocol: first, codecs: [], handler: echo })
    assert.deepEqual(await pair.call('f', [{ a: 1 }]), [{ a: 1 }])
    await assert.rejects(pair.call('f', ['aborted']), { code: 'unknown', message: 'it is aborted' })
  })
  it('drains on both sides', async () => {
    const gate = Promise.withResolvers<unknown>()
    await using pair = await createSessionPair({
      protocol: jsonRpcProtocol,
      codecs: [],
      handler: () => gate.promise,
    })
    const { reply } = pair.start('f')
    await pair.clock.settle()
    pair.client.drain()
    assertRpcError(await pair.call('f').catch((error: unknown) => error), 'unavailable', /is draining/)
    gate.resolve(1)
    assert.equal(await reply, 1)
    await pair.clock.advance(1000)
    assert.equal(pair.client.state, 'closed')
    assert.equal(pair.server.state, 'closed')
  })
  it('knows its versions', () => {
    assert.throws(() => createJsonRpcProtocol({ version: '3.0' as '2.0' }), { code: 'invalid_argument' })
    assert.equal(first.detect, undefined)
  })
})
