import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { currentCall } from '../../core/context.ts'
import type { Call } from '../../core/call.ts'
import { service } from '../../core/service.ts'
import { labRegistryService } from '../../discovery/api/lab-registry.ts'
import { assertRpcError, dialScript, serveScript } from '../json-head/session-rig.suite.ts'
import { createLabProtobufProtocol } from './index.ts'
import {
  fakeRegistry,
  handlerOf,
  lab,
  moreProto,
  protocol,
  readRequest,
  readResponse,
  request,
  response,
  serve,
  time,
} from './testing.suite.ts'

const call = (name: string, fields: object = {}) => request({ type: 'call', service_name: name, ...fields })
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

describe('lab-protobuf server', () => {
  it('answers a whole request at once, in one piece, and ends', async () => {
    const rig = await serve()
    await rig.send(call('add', { add: { a: 1, b: 2 } }))
    assert.deepEqual(await rig.peer.readToEnd(), response({ type: 'success', time, add: { sum: 3 } }))
    rig.peer.wire.end()
    await rig.clock.settle()
    assert.equal(rig.session.state, 'closed')
    assert.equal(rig.clock.timers, 0)
  })

  it('answers whatever is called, with and without a service', async () => {
    const rows: [bytes: Uint8Array, answer: object][] = [
      [call('lab.add', { add: { a: 1 } }), { type: 'success', add: { sum: 1 } }],
      [
        call('findUser', { find_user: { id: 2n ** 60n } }),
        { type: 'fail', content: /no service has a method 'findUser'/ },
      ],
      [
        call('find_user', { find_user: { id: 5 } }),
        { type: 'success', find_user: { user: { id: 5, name: 'nobody', roles: ['reader'] } } },
      ],
      [
        call('add', { upper: { text: 'a' } }),
        { type: 'fail', content: /lab\.add has no parameter 'text'; it takes a, b/ },
      ],
      [call('crash', { add: {} }), { type: 'fail', content: /lab\.crash has no parameter 'a'/ }],
      [call('pong', { sleep: { seconds: 1 } }), { type: 'fail', content: /has no parameter 'seconds'/ }],
      [call('nope', { add: {} }), { type: 'fail', content: /no service has a method 'nope'/ }],
      [call('x.add', { add: {} }), { type: 'fail', content: /unknown service 'x'/ }],
      [call('__proto__', { add: {} }), { type: 'fail', content: /no service has a method '__proto__'/ }],
      [
        call('count', { sleep: { seconds: 1 } }),
        { type: 'fail', content: /answers with a stream, which the protocol 'lab-protobuf' cannot carry/ },
      ],
      [
        call('divide', { add: { a: 1 }, divide: { a: 7, b: 2 } }),
        { type: 'success', divide: { quotient: 3, remainder: 1 } },
      ],
      [
        call('nope', { add: {}, upper: {} }),
        { type: 'error', content: /several fields are set, and none is for 'nope': add, upper/ },
      ],
      [
        request({ type: 'calls', service_name: 'add' }),
        { type: 'error', content: /unknown type 'calls'; known: call, register, discover, heartbeat/ },
      ],
      [
        request({ type: 'register', service_name: 'add', server: { host: 'x', port: 1 } }),
        { type: 'fail', content: 'this server is no registry' },
      ],
      [
        request({ type: 'discover', service_name: 'add' }),
        { type: 'fail', content: 'this server is no registry' },
      ],
      [
        request({ type: 'heartbeat', server: { host: 'x' } }),
        { type: 'fail', content: 'this server is no registry' },
      ],
    ]
    for (const [bytes, expected] of rows) {
      const rig = await serve()
      await rig.send(bytes)
      const answer = await rig.answer()
      const { content } = expected as { content?: RegExp | string }
      if (content instanceof RegExp) {
        assert.match(String(answer['content']), content)
        assert.equal(answer['type'], (expected as { type: string }).type)
      } else assert.deepEqual(answer, expected)
    }
  })

  it('waits for a while where a request could go on, and answers then', async () => {
    const rows: [bytes: Uint8Array, answer: object][] = [
      [call('ping'), { type: 'success' }],
      [call('add'), { type: 'success', add: { sum: 0 } }],
      [
        call('pong'),
        {
          type: 'fail',
          content:
            "the result of 'pong' cannot be sent: the .proto has no field in Response for the result of 'pong'",
        },
      ],
      [call('crash'), { type: 'fail', content: /internal error \(id / }],
      [call('count'), { type: 'fail', content: /is missing argument 'upTo'/ }],
      [call(''), { type: 'error', content: "a request 'call' needs a service_name" }],
      [
        request({ type: 'register', service_name: 'add' }),
        { type: 'error', content: "a request 'register' needs a server" },
      ],
      [
        request({ type: 'discover' }),
        { type: 'error', content: "a request 'discover' needs a service_name" },
      ],
      [request({ type: 'heartbeat' }), { type: 'error', content: "a request 'heartbeat' needs a server" }],
    ]
    for (const [bytes, expected] of rows) {
      const rig = await serve()
      await rig.send(bytes)
      await rig.clock.advance(199)
      assert.equal(rig.peer.received, 0)
      await rig.clock.advance(1)
      const answer = await rig.answer()
      const { content } = expected as { content?: RegExp | string }
      if (content instanceof RegExp) assert.match(String(answer['content']), content)
      else assert.deepEqual(answer, expected)
    }
  })

  it('does not wait where the sender has ended', async () => {
    const rig = await serve()
    await rig.send(call('add'))
    rig.peer.wire.end()
    assert.deepEqual(await rig.answer(), { type: 'success', add: { sum: 0 } })
  })

  it('a request that pauses where it could be whole is not cut short', async () => {
    const whole = call('add', { time: 'now', add: { a: 3, b: 4 } })
    const rig = await serve()
    for (const byte of whole) {
      await rig.send(Uint8Array.of(byte))
      await rig.clock.advance(150)
    }
    assert.deepEqual(await rig.answer(), { type: 'success', add: { sum: 7 } })
  })

  it('what is no request is answered with an error, and the end', async () => {
    const rows: [bytes: Uint8Array, content: RegExp][] = [
      [bytesOf('0a0463616c6c 0f'), /kind that protobuf does not have/],
      [bytesOf('0a0463616c6c 12036164 642a03080108'), /at \$\.add\.a ends in the middle/],
      [bytesOf('0a0463616c6c 12ffffffffffffffffff01'), /bytes or more, at most/],
      [bytesOf('0a0463616c6c 1202ff00 2a00'), /at \$\.service_name .*UTF-8/],
    ]
    for (const [bytes, content] of rows) {
      const rig = await serve()
      await rig.send(bytes)
      const answer = await rig.answer()
      assert.equal(answer['type'], 'error')
      assert.match(String(answer['content']), content)
    }
  })

  it('half a request and its end', async () => {
    const rig = await serve()
    await rig.send(call('add', { add: { a: 1 } }).subarray(0, -1))
    rig.peer.wire.end()
    const answer = await rig.answer()
    assert.deepEqual(answer, { type: 'error', content: 'the connection ends in the middle of a request' })
    assert.match(String(rig.reports), /broke the protocol/)
  })

  it('half a request for ever is given up', async () => {
    const rig = await serve()
    await rig.send(call('add', { add: { a: 1 } }).subarray(0, -1))
    await rig.clock.advance(30_001)
    assert.equal(rig.session.state, 'closed')
    assert.equal(rig.clock.timers, 0)
  })

  it('a request that is too large', async () => {
    const rig = await serve(undefined, { maxMessageBytes: 200 })
    await rig.send(call('upper', { upper: { text: 'x'.repeat(300) } }))
    const answer = await rig.answer()
    assert.equal(answer['type'], 'error')
    assert.match(String(answer['content']), /at most 200 are allowed \(limits\.maxMessageBytes\)/)
  })

  it('a result that is too large, or does not fit', async () => {
    const odd = service('odd', {
      upper: (text: string) => text.repeat(500),
      add: (_request: unknown) => 'three',
      divide: (_request: unknown) => ({ quotent: 1 }),
    })
    const rows: [name: string, content: RegExp][] = [
      ['upper', /^the result of 'upper' cannot be sent: .* larger than 400 bytes/],
      [
        'add',
        /the rpc\.Response to be sent at \$\.add\.sum is "three", and should be an integer that fits into int32/,
      ],
      [
        'divide',
        /has a property 'quotent', and rpc\.DivideResponse has no such field; its fields: quotient, remainder/,
      ],
    ]
    for (const [name, content] of rows) {
      const rig = await serve(handlerOf(odd), { maxMessageBytes: 400 })
      await rig.send(call(name, { [name]: name === 'upper' ? { text: 'x' } : {} }))
      const answer = await rig.answer()
      assert.equal(answer['type'], 'fail')
      assert.match(String(answer['content']), content)
    }
  })

  it('a stream is refused', async () => {
    const rig = await serve(handlerOf(service('s', { async *add(_request: unknown) {} })))
    await rig.send(call('add'))
    rig.peer.wire.end()
    assert.match(
      String((await rig.answer())['content']),
      /answers with a stream, which the protocol 'lab-protobuf' cannot carry/,
    )
  })

  it('a caller who is gone cancels; who has only half-closed does not', async () => {
    const calls: Call[] = []
    const slow = service('slow', {
      async add(_request: unknown) {
        const call = currentCall()
        if (call === undefined) return 0
        calls.push(call)
        await new Promise<void>((resolve) => call.onCancel(() => resolve()))
        return 0
      },
    })
    const rig = await serve(handlerOf(slow))
    await rig.send(call('add'))
    rig.peer.wire.end()
    await rig.clock.settle()
    assert.equal(rig.session.inFlight, 1)
    const cancelled = () => calls.map((one) => one.cancelled?.code)
    assert.deepEqual(cancelled(), [undefined])
    rig.peer.wire.close()
    await rig.clock.settle()
    assert.deepEqual(cancelled(), ['cancelled'])
    assert.equal(rig.session.inFlight, 0)
    assert.equal(rig.clock.timers, 0)
  })

  it('draining: who is silent is closed, who asks is told, who is being answered is answered', async () => {
    const silent = await serve()
    silent.session.drain()
    assert.equal(await silent.rest(), '')

    const late = await serve()
    await late.send(call('add', { add: {} }).subarray(0, 8))
    late.session.drain()
    await late.send(call('add', { add: {} }).subarray(8))
    assert.deepEqual(await late.answer(), { type: 'fail', content: 'the server is draining' })

    const { promise, resolve } = Promise.withResolvers<number>()
    const asked = await serve(handlerOf(service('s', { add: (_request: unknown) => promise })))
    await asked.send(call('add'))
    await asked.clock.advance(200)
    asked.session.drain()
    resolve(5)
    assert.deepEqual(await asked.answer(), { type: 'success', add: { sum: 5 } })
  })

  it('a long answer has the time that its reader takes, and one that is not read is given up', async () => {
    const bytes = call('upper', { upper: { text: 'x'.repeat(1_000_000) } })
    const slow = await serve()
    slow.peer.wire.pause()
    await slow.send(bytes)
    await slow.clock.advance(20_000)
    assert.equal(slow.session.state, 'ready')
    slow.peer.wire.resume()
    assert.deepEqual((await slow.answer())['upper'], { text: 'X'.repeat(1_000_000) })

    const never = await serve()
    never.peer.wire.pause()
    await never.send(bytes)
    await never.clock.advance(30_001)
    assert.equal(never.session.state, 'closed')
    assert.equal(never.clock.timers, 0)
  })

  it('closed while a request could go on, does not carry it out', async () => {
    const rig = await serve(() => assert.fail('called'))
    await rig.send(call('add'))
    const closed = rig.session.close()
    await rig.clock.advance(2000)
    await closed
    assert.equal(rig.peer.received, 0)
  })

  it('asks the registry of this server what a registry is asked', async () => {
    const asked: unknown[] = []
    const handler = handlerOf(lab, fakeRegistry(asked))
    const server = { host: '10.0.0.9', port: 50_000 }
    const ask = async (message: object) => {
      const rig = await serve(handler)
      await rig.send(request({ ...message }))
      return rig.answer()
    }
    assert.deepEqual(await ask({ type: 'register', service_name: 'add', server }), {
      type: 'success',
      content: 'registered',
    })
    assert.deepEqual(await ask({ type: 'heartbeat', server }), { type: 'success', content: 'alive' })
    assert.deepEqual(asked, [{ service: 'add', ...server }, server])
    const again = await ask({ type: 'heartbeat', server: { host: 'x', port: 1 } })
    assert.equal(again['type'], 're-register')
    const servers = [{ host: '10.0.0.1', port: 50_000 }]
    assert.deepEqual(await ask({ type: 'discover', service_name: 'add' }), { type: 'success', servers })
    assert.deepEqual(await ask({ type: 'discover', service_name: 'mul' }), {
      type: 'fail',
      content: "no server offers 'mul'",
    })
  })

  it('names of fields may be in camel case', async () => {
    const camel = createLabProtobufProtocol({ proto: moreProto, camelCase: true })
    await camel.load()
    const rig = await serveScript(camel, handlerOf(lab))
    rig.peer.send(call('lab.find_user', { find_user: { id: 5 } }))
    await rig.clock.settle()
    const user = { id: 5, name: 'nobody', roles: ['reader'] }
    assert.deepEqual(readResponse(await rig.peer.readToEnd()), { type: 'success', find_user: { user } })
  })

  it('says why it cannot answer where its .proto is wrong', async () => {
    const broken = createLabProtobufProtocol({ proto: 'message {' })
    await assert.rejects(broken.load(), { code: 'invalid_argument', message: /the \.proto is wrong/ })
    const rig = await serveScript(broken, handlerOf(lab))
    rig.peer.send(call('add', { add: {} }))
    await rig.peer.closed
    assert.match(String(rig.reports), /the \.proto is wrong/)
  })

  it('bytes that come before the .proto has been read are not lost', async () => {
    const fresh = createLabProtobufProtocol()
    const rig = await serveScript(fresh, handlerOf(lab))
    rig.peer.send(call('add', { add: { a: 1, b: 2 } }))
    await fresh.load()
    await rig.clock.settle()
    assert.ok((await rig.peer.readToEnd()).length > 0)
  })
})

describe('lab-protobuf client', () => {
  const registry = { service: labRegistryService }

  it('sends its request in one piece, and does not end it', async () => {
    const rig = await dialScript(protocol)
    rig.start('add', [1, 2])
    await rig.clock.settle()
    const sent = await rig.peer.read(rig.peer.received)
    assert.deepEqual(sent, call('add', { time, add: { a: 1, b: 2 } }))
    assert.equal(rig.peer.hasEnded, false)
    await rig.close()
  })

  it('names the service where it has one, and sends nothing where a method has no message', async () => {
    for (const [method, service, expected] of [
      ['add', 'Calculator', { type: 'call', service_name: 'Calculator.add', add: { a: 0, b: 0 } }],
      ['ping', '', { type: 'call', service_name: 'ping' }],
    ] as const) {
      const rig = await dialScript(protocol)
      rig.start(method, [], { service })
      await rig.clock.settle()
      assert.deepEqual(readRequest(await rig.peer.read(rig.peer.received)), expected)
      await rig.close()
    }
  })

  it('takes the answer at the end, or after a while where a peer does not end', async () => {
    for (const ends of [true, false]) {
      const rig = await dialScript(protocol)
      const { reply } = rig.start('add', [1, 2])
      await rig.clock.settle()
      rig.peer.send(response({ type: 'success' }))
      await rig.clock.advance(100)
      rig.peer.send(response({ add: { sum: 3 } }))
      if (ends) rig.peer.wire.end()
      else await rig.clock.advance(200)
      assert.equal(await reply, 3)
      await rig.close()
    }
  })

  const answers: [name: string, method: string, message: object, result: unknown][] = [
    ['of another name', 'add', { type: 'success', upper: { text: 'x' } }, 'x'],
    ['of nothing', 'add', { type: 'success' }, 0],
    ['where nothing can be', 'ping', { type: 'success' }, undefined],
    ['of several', 'add', { type: 'success', upper: { text: 'x' }, add: { sum: 4 } }, 4],
    [
      'of a large integer',
      'divide',
      { type: 'success', divide: { quotient: 2n ** 60n } },
      { quotient: 2n ** 60n, remainder: 0 },
    ],
  ]
  for (const [name, method, message, result] of answers) {
    it(`takes an answer ${name}`, async () => {
      const rig = await dialScript(protocol)
      const { reply } = rig.start(method, [])
      await rig.clock.settle()
      rig.peer.send(response({ ...message }))
      rig.peer.wire.end()
      assert.deepEqual(await reply, result)
      await rig.close()
    })
  }

  const failures: [name: string, bytes: Uint8Array, code: string, message: RegExp][] = [
    ['fail', response({ type: 'fail', content: 'division by zero' }), 'unknown', /^division by zero$/],
    [
      'fail without a reason',
      response({ type: 'fail' }),
      'unknown',
      /the peer answered 'fail', and no reason/,
    ],
    ['error', response({ type: 'error', content: 'unknown type' }), 'unavailable', /^unknown type$/],
    ['timeout', response({ type: 'timeout', content: 'late' }), 'deadline_exceeded', /^late$/],
    ['re-register', response({ type: 're-register', content: 'again' }), 'failed_precondition', /^again$/],
    ['an unknown type', response({ type: 'sucess' }), 'unknown', /'sucess'/],
    ['no type', response({ add: { sum: 1 } }), 'internal', /the answer has no type/],
    ['nothing', new Uint8Array(0), 'unavailable', /was lost before the answer/],
    [
      'half an answer',
      response({ type: 'fail' }).subarray(0, 3),
      'unavailable',
      /in the middle of a message/,
    ],
    ['no protobuf', new TextEncoder().encode('HTTP/1.1 400\r\n\r\n'), 'internal', /./],
    [
      'nonsense inside',
      bytesOf('0a0773756363657373 2a02 08ff'),
      'internal',
      /at \$\.add\.sum ends in the middle/,
    ],
  ]
  for (const [name, bytes, code, message] of failures) {
    it(`fails with ${name}`, async () => {
      const rig = await dialScript(protocol)
      const { reply } = rig.start('add', [1, 2])
      await rig.clock.settle()
      if (bytes.length > 0) rig.peer.send(bytes)
      rig.peer.wire.end()
      assertRpcError(await reply, code, message)
      await rig.close()
    })
  }

  it('does not know what it cannot ask', async () => {
    const rows: [method: string, list: unknown[], code: string, message: RegExp, service?: string][] = [
      [
        'mul',
        [1],
        'invalid_argument',
        /no field in Request for the arguments of 'mul'; its fields: add, upper/,
      ],
      ['add', [1, 2, 3], 'invalid_argument', /add takes a, b, got 3/],
      [
        'add',
        [{ a: 1, c: 2 }],
        'invalid_argument',
        /at \$\.add has a property 'c', and rpc\.AddRequest has no such field/,
      ],
      ['add', [2 ** 31], 'invalid_argument', /at \$\.add\.a is 2147483648/],
      ['call', [], 'not_found', /has no method 'call'/, labRegistryService],
      ['renew', [], 'not_found', /has no method 'renew'/, labRegistryService],
      [
        'register',
        ['add', 'host', '80'],
        'invalid_argument',
        /at \$\.server\.port is "80"/,
        labRegistryService,
      ],
    ]
    for (const [method, list, code, message, service = ''] of rows) {
      const rig = await dialScript(protocol)
      const { reply, call: made } = rig.start(method, list, { service })
      assertRpcError(await reply, code, message)
      assert.equal(made.notExecuted, true)
      assert.equal(rig.peer.received, 0)
      await rig.close()
    }
  })

  it('asks a registry', async () => {
    const server = { host: 'h', port: 5 }
    const rows: [method: string, list: unknown[], asked: object, answer: object, result: unknown][] = [
      [
        'register',
        [{ service: 'add', ...server }],
        { type: 'register', service_name: 'add', server },
        { type: 'success' },
        undefined,
      ],
      [
        'discover',
        ['add'],
        { type: 'discover', service_name: 'add' },
        { type: 'success', servers: [server] },
        [server],
      ],
      ['discover', [{ service: 'add' }], { type: 'discover', service_name: 'add' }, { type: 'success' }, []],
      ['heartbeat', ['h', 5], { type: 'heartbeat', server }, { type: 'success' }, true],
      ['heartbeat', [server], { type: 'heartbeat', server }, { type: 're-register' }, false],
      ['heartbeat', [server], { type: 'heartbeat', server }, { type: 'RE_REGISTER' }, false],
      ['heartbeat', [server], { type: 'heartbeat', server }, { type: 'register' }, false],
    ]
    for (const [method, list, asked, answer, result] of rows) {
      const rig = await dialScript(protocol)
      const { reply } = rig.start(method, list, registry)
      await rig.clock.settle()
      assert.deepEqual(readRequest(await rig.peer.read(rig.peer.received)), asked)
      rig.peer.send(response({ ...answer }))
      rig.peer.wire.end()
      assert.deepEqual(await reply, result)
      await rig.close()
    }
  })

  it('nobody is not_found, and a registry that fails is something else', async () => {
    for (const [type, code] of [
      ['fail', 'not_found'],
      ['error', 'unavailable'],
    ] as const) {
      const rig = await dialScript(protocol)
      const { reply } = rig.start('discover', ['add'], registry)
      await rig.clock.settle()
      rig.peer.send(response({ type, content: 'why' }))
      rig.peer.wire.end()
      assertRpcError(await reply, code, /^why$/)
      await rig.close()
    }
  })

  it('carries one call, and says so', async () => {
    const rig = await dialScript(protocol)
    rig.start('add', [1, 2])
    const { reply, call: made } = rig.start('add', [1, 2])
    assertRpcError(await reply, 'unavailable', /used up/)
    assert.equal(made.notExecuted, true)
    await rig.close()
  })

  it('ends when its call is cancelled; the late answer is nothing', async () => {
    const rig = await dialScript(protocol)
    const { reply } = rig.start('add', [1, 2], { deadline: 100 })
    await rig.clock.advance(100)
    assertRpcError(await reply, 'deadline_exceeded', /no answer within 100 ms/)
    assert.ok(rig.peer.hasEnded)
    rig.peer.send(response({ type: 'success' }))
    rig.peer.wire.end()
    await rig.clock.settle()
    assert.equal(rig.client.state, 'closed')
    await rig.close()
  })

  it('a one-way call is settled when it is sent', async () => {
    const rig = await dialScript(protocol)
    const { reply } = rig.start('add', [1, 2], { oneway: true })
    assert.equal(await reply, undefined)
    await rig.clock.settle()
    assert.deepEqual(readRequest(await rig.peer.read(rig.peer.received))['add'], { a: 1, b: 2 })
    rig.peer.send(response({ type: 'success' }))
    rig.peer.wire.end()
    await rig.close()
  })

  it('drains after its answer', async () => {
    const rig = await dialScript(protocol)
    const { reply } = rig.start('add', [1, 2])
    rig.client.drain()
    await rig.clock.settle()
    rig.peer.send(response({ type: 'success', add: { sum: 3 } }))
    rig.peer.wire.end()
    assert.equal(await reply, 3)
    await rig.clock.settle()
    assert.equal(rig.client.state, 'closed')
    await rig.close()
  })

  it('is ready when its .proto is read, and closed with the reason where that is wrong', async () => {
    const fresh = createLabProtobufProtocol()
    const rig = await dialScript(fresh)
    const states: string[] = []
    rig.client.onState = (state) => states.push(state)
    assert.equal(rig.client.state, 'opening')
    await fresh.load()
    await rig.clock.settle()
    assert.deepEqual(states, ['ready'])
    await rig.close()

    const broken = await dialScript(createLabProtobufProtocol({ proto: 'message {' }))
    const reason = await new Promise((resolve) => {
      broken.client.onState = (state, why) => state === 'closed' && resolve(why)
    })
    assertRpcError(reason, 'failed_precondition', /the \.proto is wrong/)
  })
})
