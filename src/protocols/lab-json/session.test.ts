import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { metaService } from '../../core/describe.ts'
import { isNotExecuted, markNotExecuted, RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import type { Limits } from '../../core/limits.ts'
import { seededRandom } from '../../core/random.ts'
import { createRouter } from '../../core/router.ts'
import { service } from '../../core/service.ts'
import type { ScriptedPeer } from '../../testing/scripted-peer.ts'
import { createSessionPair, type SessionPair, type SessionPairOptions } from '../../testing/session-pair.ts'
import { assertRpcError, dialScript, serveScript } from '../json-head/session-rig.suite.ts'
import { labJsonProtocol } from './index.ts'

const math = service('math', {
  add: (a: number, b: number, c = 10) => a + b + c,
  divide(a: number, b: number) {
    if (b === 0) throw new RpcError('invalid_argument', 'division by zero')
    return a / b
  },
  crash() {
    throw new TypeError('secret')
  },
  nothing: () => undefined,
  async *count(n: number) {
    for (let i = 0; i < n; i++) yield i
  },
})
const text = service('text', { add: (a: string, b: string) => a + b, upper: (s: string) => s.toUpperCase() })

function routerHandler(options: { bareService?: string; exposeExceptions?: boolean } = {}): Handler {
  const router = createRouter({ random: seededRandom(1), onInternalError: () => {}, ...options })
  router.add(math)
  router.add(text)
  router.add(metaService({ services: router.services, ...options }))
  return router.handler
}

const serveTo = (handler: Handler, limits: Partial<Limits> = {}) =>
  serveScript(labJsonProtocol, handler, limits)

const request = (name: string, args: unknown = [], kwargs: unknown = {}) =>
  JSON.stringify({ method_name: name, method_args: args, method_kwargs: kwargs })

describe('lab-json server: the four outcomes, each a reply', () => {
  const rows: [name: string, sent: string, answer: string | RegExp][] = [
    ['by position', request('math.add', [1, 2]), '{"res": 13}'],
    ['by name', request('math.add', [], { a: 1, b: 2 }), '{"res": 13}'],
    ['both', request('math.add', [1], { b: 2, c: 3 }), '{"res": 6}'],
    ['a bare name that one service has', request('upper', ['é']), '{"res": "\\u00c9"}'],
    ['nothing', request('nothing'), '{"res": null}'],
    ['null for arguments', request('nothing', null, null), '{"res": null}'],
    ['arguments left out', '{"method_name":"nothing"}', '{"res": null}'],
    [
      'a bare name that several have',
      request('add', [1, 2]),
      /^\{"res": "several services .*math\.add, text\.add/,
    ],
    ['no such method', request('nope'), /^\{"res": "no service has a method 'nope'.*"code": "not_found"/],
    ['no such service', request('nope.add'), /^\{"res": "unknown service 'nope'/],
    ['given twice', request('math.add', [1], { a: 1, b: 2 }), /^\{"res": "math.add got argument 'a' twice/],
    ['unknown keyword', request('math.add', [1, 2], { d: 1 }), /has no parameter 'd'/],
    ['missing', request('math.add', [1]), /^\{"res": "math.add is missing argument 'b'/],
    ['too many', request('math.add', [1, 2, 3, 4]), /takes at most 3 arguments/],
    [
      'an error on purpose, verbatim',
      request('divide', [1, 0]),
      /^\{"res": "division by zero", "error": \{"code": "invalid_argument"\}\}$/,
    ],
    ['an exception', request('crash'), /^\{"res": "internal error \(id [0-9a-z]+\)"/],
    ['a stream', request('count', [3]), /answers with a stream, which the protocol 'lab-json' cannot carry/],
    ['__proto__ as method', request('__proto__'), /no service has a method '__proto__'/],
    ['__proto__ as service', request('__proto__.toString'), /unknown service '__proto__'/],
    [
      '__proto__ as keyword',
      '{"method_name":"math.add","method_args":[1,2],"method_kwargs":{"__proto__":1}}',
      /has no parameter '__proto__'/,
    ],
    [
      'a keyword twice: the last counts',
      '{"method_name":"math.add","method_kwargs":{"a":1,"a":5,"b":1}}',
      '{"res": 16}',
    ],
    ['a name that is no string', '{"method_name":7}', /'method_name' should be a string/],
    [
      'arguments that are no list',
      '{"method_name":"add","method_args":"ab"}',
      /'method_args' should be a list/,
    ],
    [
      'keywords that are no object',
      '{"method_name":"add","method_kwargs":[1]}',
      /'method_kwargs' should be an object/,
    ],
    ['not JSON inside', '{"method_name": tru}', /no valid JSON/],
    ['ill-formed UTF-8', '', /not well-formed UTF-8/],
    [
      'numbers that only Python writes',
      request('math.add', [0, 0]).replace('[0,0]', '[NaN, -Infinity]'),
      '{"res": NaN}',
    ],
    [
      'an integer beyond 2^53',
      '{"method_name":"upper","method_args":["x"],"id":123456789012345678901234567890}',
      '{"res": "X"}',
    ],
  ]
  for (const [name, sent, answer] of rows) {
    it(name, async () => {
      const { ask } = await serveTo(routerHandler())
      const bytes =
        name === 'ill-formed UTF-8'
          ? Uint8Array.of(...new TextEncoder().encode('{"method_name":"'), 0xc3, 0x28, 0x22, 0x7d)
          : sent
      const got = await ask(bytes)
      if (typeof answer === 'string') assert.equal(got, answer)
      else assert.match(got, answer)
      // Whatever it was, the connection goes on.
      assert.equal(await ask(request('math.add', [1, 1])), '{"res": 12}')
    })
  }

  it('shows exceptions where a server is told to', async () => {
    const { ask } = await serveTo(routerHandler({ exposeExceptions: true }))
    assert.match(await ask(request('crash')), /^\{"res": "secret"/)
  })
})

describe('lab-json server: all_your_methods', () => {
  it('names every method once, with its parameters', async () => {
    const { ask } = await serveTo(routerHandler())
    assert.deepEqual(JSON.parse(await ask(request('all_your_methods'))), {
      res: {
        'math.add': '(a, b, c=10)',
        divide: '(a, b)',
        crash: '()',
        nothing: '()',
        'text.add': '(a, b)',
        upper: '(s)',
      },
    })
  })

  it('names those of the service that bare names mean', async () => {
    const { ask } = await serveTo(routerHandler({ bareService: 'text' }))
    assert.deepEqual(JSON.parse(await ask(request('all_your_methods'))), {
      res: { add: '(a, b)', upper: '(s)' },
    })
    assert.equal(await ask(request('add', ['a', 'b'])), '{"res": "ab"}')
  })
})

describe('lab-json server: how requests arrive', () => {
  it('answers several in one segment, in order, one after the other', async () => {
    const started: string[] = []
    const waiting: (() => void)[] = []
    const { ask, clock, peer } = await serveTo((call) => {
      started.push(call.method)
      return new Promise((resolve) => waiting.push(() => resolve(call.method)))
    })
    assert.equal(await ask(`${request('a')}\n ${request('b')}${request('c')}`), '')
    assert.deepEqual(started, ['a'])
    for (let i = 0; i < 3; i++) {
      waiting[i]?.()
      await clock.settle()
    }
    assert.equal(
      new TextDecoder().decode(await peer.read(peer.received)),
      '{"res": "a"}{"res": "b"}{"res": "c"}',
    )
  })

  it('answers thousands in one segment without a deep stack', async () => {
    const { ask } = await serveTo(routerHandler())
    const answers = await ask(request('upper', ['x']).repeat(20_000))
    assert.equal(answers, '{"res": "X"}'.repeat(20_000))
  })

  it('takes one byte at a time, and more than 1,024 bytes', async () => {
    const { ask } = await serveTo(routerHandler())
    const long = 'äöü€😀'.repeat(300)
    const bytes = new TextEncoder().encode(request('upper', [long]))
    assert.ok(bytes.length > 1024)
    for (const byte of bytes.subarray(0, -1)) assert.equal(await ask(Uint8Array.of(byte)), '')
    assert.deepEqual(JSON.parse(await ask(bytes.subarray(-1))), { res: long.toUpperCase() })
  })

  it('says once that an original client cannot read so much', async () => {
    const { ask, reports } = await serveTo(routerHandler())
    for (let i = 0; i < 3; i++) await ask(request('upper', ['x'.repeat(1100)]))
    assert.deepEqual(reports, [
      'an answer of upper has 1111 bytes; original lab clients read no more than 1024 (said once)',
    ])
  })

  it('answers a peer that has ended its side, then ends', async () => {
    const { peer, clock } = await serveTo(async () => 'late')
    peer.send(request('a') + request('b'))
    peer.wire.end()
    await clock.settle()
    assert.equal(new TextDecoder().decode(await peer.readToEnd()), '{"res": "late"}{"res": "late"}')
  })

  it('closes a peer that ends in the middle, and one that never goes on', async () => {
    const first = await serveTo(routerHandler())
    first.peer.send('{"method_name": "ad')
    first.peer.wire.end()
    await first.clock.settle()
    assert.equal(first.session.state, 'closed')
    const second = await serveTo(routerHandler())
    second.peer.send('{"method_name": "ad')
    await second.clock.advance(29_000)
    second.peer.send('d"')
    await second.clock.advance(29_000)
    assert.equal(second.session.state, 'ready')
    await second.clock.advance(2_000)
    assert.equal(second.session.state, 'closed')
    assert.equal(second.clock.backgroundTimers + second.clock.timers, 0)
  })

  it('cancels what runs for a peer that is gone', async () => {
    let cancelled: RpcError | undefined
    const { peer, clock, session } = await serveTo((call) => {
      call.onCancel((reason) => {
        cancelled = reason
      })
      return new Promise(() => {})
    })
    peer.send(request('a'))
    await clock.settle()
    peer.wire.close()
    await clock.settle()
    await session.close()
    assert.equal(cancelled?.code, 'cancelled')
    assert.equal(session.inFlight, 0)
  })

  it('drains: finishes what runs, refuses what waits, ends', async () => {
    const gate = Promise.withResolvers<string>()
    const { peer, clock, session } = await serveTo(() => gate.promise)
    peer.send(request('a') + request('b'))
    await clock.settle()
    session.drain()
    gate.resolve('done')
    await clock.settle()
    const said = new TextDecoder().decode(await peer.readToEnd())
    assert.match(said, /^\{"res": "done"\}\{"res": "the server is draining", "error": .*"notExecuted": true/)
  })
})

describe('lab-json server: hostile input', () => {
  const rows: [name: string, sent: string, answer: RegExp][] = [
    [
      'garbage after a value',
      `${request('upper', ['x'])}xyz`,
      /^\{"res": "X"\}\{"res": "a JSON object should begin where there is 'x'/,
    ],
    ['a list', '[1]', /a JSON object should begin/],
    ['a control character in a string', '{"method_name": "a\n"}', /control character/],
    ['closing what was not opened', ']', /should begin where there is '\]'/],
  ]
  for (const [name, sent, answer] of rows) {
    it(`${name}: an answer that says so, then the end`, async () => {
      const { peer, clock, session, reports } = await serveTo(routerHandler())
      peer.send(sent)
      await clock.settle()
      assert.match(new TextDecoder().decode(await peer.readToEnd()), answer)
      await clock.advance(1000)
      assert.equal(session.state, 'closed')
      assert.equal(reports.length, 1)
    })
  }

  it('10 MiB: refused while it comes, and the next request is answered', async () => {
    const { ask } = await serveTo(routerHandler())
    const got = await ask(request('upper', ['x'.repeat(10 * 1024 * 1024)]))
    assert.match(got, /^\{"res": "a message of more than the 4194304 bytes/)
    assert.equal(await ask(request('upper', ['x'])), '{"res": "X"}')
  })

  it('a value that never ends: closed after some time, in bounded memory', async () => {
    const { peer, clock, session } = await serveTo(routerHandler(), { maxMessageBytes: 10_000 })
    peer.send('{"method_name": "')
    for (let i = 0; i < 50; i++) {
      peer.send('x'.repeat(1000))
      await clock.settle()
    }
    await clock.advance(1000)
    assert.equal(session.state, 'closed')
  })

  it('nesting of a million: refused at no cost', async () => {
    const { ask } = await serveTo(routerHandler())
    const start = performance.now()
    const deep = `{"method_name":"upper","method_args":[${'['.repeat(1e6)}${']'.repeat(1e6)}]}`
    assert.match(await ask(deep), /nested deeper than 67 levels/)
    assert.ok(performance.now() - start < 1000)
    assert.equal(await ask(request('upper', ['x'])), '{"res": "X"}')
  })

  it('a peer that never reads is closed', async () => {
    const { peer, clock, session } = await serveTo(() => 'x'.repeat(1_000_000), {
      maxMessageBytes: 2_000_000,
      maxUnsentBytes: 4_000_000,
    })
    peer.wire.pause()
    for (let i = 0; i < 30; i++) peer.send(request('a'))
    await clock.settle()
    assert.equal(session.state, 'closed')
  })

  it('a result that cannot travel, or is too large, is an error', async () => {
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    const values = [() => 1, 'x'.repeat(20_000), cyclic, 1n << 20_000n]
    const { ask } = await serveTo(() => values.shift(), { maxMessageBytes: 10_000 })
    assert.match(
      await ask(request('f')),
      /the result of 'f' cannot be sent: the value at \$\.res is a function/,
    )
    assert.match(await ask(request('f')), /larger than the 10000 bytes/)
    assert.match(await ask(request('f')), /a cycle cannot travel/)
    assert.match(await ask(request('f')), /4,300 digits/)
  })
})

describe('lab-json client and server', () => {
  let open: SessionPair[] = []
  afterEach(async () => {
    for (const one of open) await one[Symbol.asyncDispose]()
    open = []
  })
  async function pair(handler: Handler, options: Partial<SessionPairOptions> = {}): Promise<SessionPair> {
    const made = await createSessionPair({ protocol: labJsonProtocol, codecs: [], handler, ...options })
    open.push(made)
    return made
  }

  it('calls by position and by name, one after the other', async () => {
    const { call, client } = await pair(routerHandler())
    assert.equal(await call('add', [1, 2], { service: 'math' }), 13)
    assert.equal(client.inFlight, 0)
    const named = new Map([['b', 'y']])
    assert.equal(await call('add', [], { service: 'text', args: { list: ['x'], named } }), 'xy')
    assert.equal(await call('upper', ['ß€'], { service: '' }), 'SS€')
    assert.equal(await call('upper', ['x'.repeat(100_000)], { service: '' }), 'X'.repeat(100_000))
  })

  it('knows an error from a text, between the two of us', async () => {
    const { call } = await pair(routerHandler())
    await assert.rejects(call('divide', [1, 0], { service: 'math' }), {
      code: 'invalid_argument',
      message: 'division by zero',
    })
    await assert.rejects(call('nope', [], { service: 'math' }), { code: 'not_found' })
  })

  it('carries what JSON has not in the plainest way', async () => {
    const { call } = await pair((c) => c.args.list[0])
    assert.equal(await call('f', [2n ** 80n]), 2n ** 80n)
    assert.equal(await call('f', [new Date(0)]), '1970-01-01T00:00:00.000Z')
    assert.equal(await call('f', [Uint8Array.of(1, 2, 3)]), 'AQID')
    assert.deepEqual(await call('f', [new Map([['a', new Set([1])]])]), { a: [1] })
    assert.ok(Number.isNaN(await call('f', [Number.NaN])))
    assert.deepEqual(await call('f', [{ a: undefined, b: [undefined] }]), { b: [null] })
  })

  it('fails here what cannot be sent, and says that it was not executed', async () => {
    const { call, served } = await pair(routerHandler())
    await assert.rejects(call('f', [() => 1]), (error: unknown) => {
      assert.ok(RpcError.is(error) && isNotExecuted(error))
      assert.match(error.message, /\$\.method_args\[0\] is a function/)
      return true
    })
    assert.equal(served.length, 0)
    assert.equal(await call('upper', ['x'], { service: 'text' }), 'X')
  })

  it('passes on that a draining server did not execute', async () => {
    const { call } = await pair(() => {
      throw markNotExecuted(new RpcError('unavailable', 'busy'))
    })
    await assert.rejects(call('f'), (error: unknown) => isNotExecuted(error))
  })

  it('settles a cancelled call at once and ends the connection', async () => {
    const { start, client, clock } = await pair(() => new Promise(() => {}))
    const { call, reply } = start('f')
    const settled = assert.rejects(reply, { code: 'cancelled' })
    await clock.settle()
    call.cancel(new RpcError('cancelled', 'enough'))
    await settled
    await clock.advance(1000)
    assert.equal(client.state, 'closed')
  })

  it('lets a deadline pass without an answer', async () => {
    const { start, clock } = await pair(() => new Promise(() => {}))
    const settled = assert.rejects(start('f', [], { deadline: 500 }).reply, { code: 'deadline_exceeded' })
    await clock.advance(600)
    await settled
  })

  it('settles a one-way call when it is sent', async () => {
    const { call, served, clock } = await pair(() => 1)
    assert.equal(await call('f', [], { oneway: true }), undefined)
    await clock.settle()
    assert.equal(served.length, 1)
  })
})

describe('lab-json client: what other servers answer', () => {
  /** What a call comes to that is answered by a script; errors as values. */
  async function answer(script: (peer: ScriptedPeer) => void, argument = 'x') {
    const rig = await dialScript(labJsonProtocol)
    const { reply } = rig.start('f', [argument])
    void rig.peer.read(1).then(() => script(rig.peer))
    await rig.clock.advance(5000)
    const value = await reply
    await rig.close()
    return value
  }
  const text = (sent: string) => answer((peer) => peer.send(sent))
  const fails = async (reply: Promise<unknown>, code: string, message: RegExp) =>
    assertRpcError(await reply, code, message)

  it('takes any res as a result', async () => {
    assert.equal(await text('{"res": "no such method"}'), 'no such method')
    assert.equal(await text('{"res": null}\n'), null)
    assert.equal(await text('{"res": 1, "error": "x"}'), 1)
    assert.equal(await text('{"res": 1, "error": {"code": 5}}'), 1)
    assert.deepEqual(await text('{"res": {"__proto__": 1}}'), JSON.parse('{"__proto__": 1}'))
    assert.equal(await text('{"res": 12345678901234567890}'), 12345678901234567890n)
  })
  it('survives an error without res, and neither', async () => {
    await fails(text('{"error": "Not Found"}'), 'unknown', /^Not Found$/)
    await fails(text('{"error": {"message": "m", "code": 1}}'), 'unknown', /^m$/)
    await fails(text('{"error": [1]}'), 'unknown', /^\[1\]$/)
    await fails(text('{}'), 'internal', /neither 'res' nor 'error'/)
    await fails(text('{"res": tru}'), 'invalid_argument', /no valid JSON/)
    await fails(text('Traceback'), 'internal', /the answer is no JSON/)
  })
  it('says what was lost, and that the request was too long for an original server', async () => {
    await fails(
      answer((peer) => peer.wire.end()),
      'unavailable',
      /lost before the answer: the connection ended$/,
    )
    await fails(
      answer((peer) => peer.wire.close(), 'x'.repeat(2000)),
      'unavailable',
      /the request has 20\d\d bytes, and the original/,
    )
    await fails(
      answer((peer) => {
        peer.send('{"res": ')
        peer.wire.end()
      }),
      'unavailable',
      /in the middle of a message/,
    )
  })
  it('refuses an answer that is too large', async () => {
    await fails(text(`{"res": "${'x'.repeat(5_000_000)}"}`), 'resource_exhausted', /4194304/)
  })
  it('takes an answer byte by byte', async () => {
    const reply = answer((peer) => {
      for (const byte of new TextEncoder().encode('{"res": "€"}')) peer.send(Uint8Array.of(byte))
    })
    assert.equal(await reply, '€')
  })
})
