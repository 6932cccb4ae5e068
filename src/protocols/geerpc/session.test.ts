import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { gob, GobDecoder } from '../../codecs/gob/index.ts'
import { MemoryOutput } from '../../core/bytes/output.ts'
import { RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import type { Limits } from '../../core/limits.ts'
import { seededRandom } from '../../core/random.ts'
import { createRouter } from '../../core/router.ts'
import { service } from '../../core/service.ts'
import { createSessionPair } from '../../testing/session-pair.ts'
import type { GoCodec } from '../go-rpc/index.ts'
import { gobCodecWith, headerType } from '../go-rpc/index.ts'
import { assertRpcError, dialScript, serveScript } from '../json-head/session-rig.suite.ts'
import { createGeerpcProtocol, geerpcProtocol } from './index.ts'
import { readOption, writeOption } from './option.ts'

const recorded = (file: string) =>
  new Uint8Array(readFileSync(new URL(`fixtures/${file}.bin`, import.meta.url)))

const foo = service('Foo', {
  Sum: (args: { Num1: number; Num2: number }) => args.Num1 + args.Num2,
  Fail(_args: unknown) {
    throw new RpcError('failed_precondition', 'fails on purpose: 100% of the time')
  },
  Upper: (text: string) => text.toUpperCase(),
  Wrap: (item: { Name: string }) => ({ Name: `around ${item.Name}`, Next: item }),
  Echo: (value: unknown) => value,
  Never: () => new Promise(() => {}),
  None: () => undefined,
  async *Stream() {
    yield 1
  },
})

function handler(): Handler {
  const router = createRouter({ random: seededRandom(1), onInternalError: () => {} })
  router.add(foo)
  return router.handler
}

const serve = (limits: Partial<Limits> = {}) => serveScript(geerpcProtocol, handler(), limits)
const option = (codec: string, more: object = {}) =>
  `${JSON.stringify({ MagicNumber: 0x3bef5c, CodecType: `application/${codec}`, ...more })}\n`
const header = (name: string, seq: number, error = '') =>
  JSON.stringify({ ServiceMethod: name, Seq: seq, Error: error })
const request = (name: string, seq: number, body: unknown) =>
  `${header(name, seq)}\n${JSON.stringify(body)}\n`

describe('geerpc server: JSON', () => {
  it('answers values, and errors in the header with an empty object', async () => {
    const { ask } = await serve()
    await ask(option('json'))
    assert.equal(await ask(request('Foo.Sum', 1, { Num1: 3, Num2: 4 })), `${header('Foo.Sum', 1)}\n7\n`)
    assert.equal(
      await ask(request('Foo.Nope', 2, {})),
      `${header('Foo.Nope', 2, "rpc server: can't find method Nope")}\n{}\n`,
    )
    assert.equal(
      await ask(request('a.b.Sum', 3, {})),
      `${header('a.b.Sum', 3, "rpc server: can't find service a.b")}\n{}\n`,
    )
  })

  it('takes any value as a body, any white space between values, and keys in any case', async () => {
    const { ask } = await serve()
    await ask('{"magicnumber":3927900,"CODECTYPE":"application/json","Surplus":[{"}":"{"}]}')
    for (const value of [5, -1.5e3, true, null, 'a "b" {', [1, [2]], { a: { b: '}' } }])
      assert.equal(
        await ask(` \t\r\n{"servicemethod":"Foo.Echo","seq":9}${JSON.stringify(value)}\n`),
        `${header('Foo.Echo', 9)}\n${JSON.stringify(value)}\n`,
      )
  })

  it('keeps all digits of a Seq', async () => {
    const { ask } = await serve()
    const seq = '18446744073709551615'
    assert.match(
      await ask(`${option('json')}{"ServiceMethod":"Foo.Upper","Seq":${seq}} "a"`),
      new RegExp(`"Seq":${seq},"Error":""}\n"A"\n$`),
    )
  })

  it('answers a body that does not decode, and goes on', async () => {
    const { ask } = await serve({ maxDepth: 4 })
    await ask(option('json'))
    assert.match(
      await ask(`${header('Foo.Echo', 1)}{"a": nope}`),
      /"Seq":1,"Error":"the message is no valid JSON/,
    )
    assert.match(
      await ask(`${header('Foo.Echo', 2)}[[[[[[1]]]]]]`),
      /"Seq":2,"Error":"a value is nested deeper/,
    )
    assert.match(await ask(`${header('Foo.Echo', 3)}0x10 `), /"Seq":3,"Error":"the message is no valid JSON/)
    assert.equal(await ask(request('Foo.Upper', 4, 'x')), `${header('Foo.Upper', 4)}\n"X"\n`)
  })

  it('answers a stream with an error', async () => {
    const { ask } = await serve()
    assert.match(await ask(option('json') + request('Foo.Stream', 1, {})), /answers with a stream/)
  })

  it('ends a number at the end of the stream, answers what is under way, and ends too', async () => {
    const { ask, peer, rest } = await serve()
    await ask(option('json'))
    peer.send(`${header('Foo.Echo', 1)}42`)
    peer.wire.end()
    assert.equal(await rest(), `${header('Foo.Echo', 1)}\n42\n`)
  })
})

describe('geerpc server: what Go sent', () => {
  for (const codec of ['gob', 'json'] as const) {
    it(`${codec}, in one piece, and byte by byte: the same answers`, async () => {
      const bytes = recorded(`${codec}.client`)
      const whole = await serve()
      whole.peer.send(bytes)
      whole.peer.wire.end()
      const apart = await serve()
      for (const byte of bytes) apart.peer.send(Uint8Array.of(byte))
      apart.peer.wire.end()
      const one = await whole.peer.readToEnd()
      assert.deepEqual(await apart.peer.readToEnd(), one)
      if (codec === 'json') assert.match(new TextDecoder().decode(one), /"Seq":5,"Error":""}\n7\n/)
      else
        assert.deepEqual(
          readAll(one)
            .map(({ error }) => error)
            .filter(Boolean),
          ['fails on purpose: 100% of the time', "rpc server: can't find method Missing"],
        )
    })
  }

  it('gob: an error is written as Go writes it', async () => {
    const { peer } = await serve()
    peer.send(recorded('gob.client'))
    peer.wire.end()
    const hex = Buffer.from(await peer.readToEnd()).toString('hex')
    assert.match(hex, /0aff83030102ff8400000003ff8400/)
  })
})

function readAll(bytes: Uint8Array): { error: string; value: unknown }[] {
  const decoder = new GobDecoder()
  decoder.push(bytes)
  const found: { error: string; value: unknown }[] = []
  while (decoder.ready) {
    const { error } = decoder.decodeNext(headerType) as { error: string }
    found.push({ error, value: decoder.decodeNext() })
  }
  return found
}

describe('geerpc server: the option', () => {
  const rows: [name: string, sent: string, why: RegExp][] = [
    ['a wrong magic number', '{"MagicNumber":1,"CodecType":"application/gob"}', /MagicNumber is 0x1/],
    ['no magic number', '{"MagicNumber":"x"}', /MagicNumber is of type string/],
    ['an unknown codec', option('xml'), /unknown codec 'application\/xml'; there are: application\/gob/],
    ['no codec', '{"MagicNumber":3927900}', /CodecType of the option is no text/],
    [
      'a negative time',
      option('json', { HandleTimeout: -1 }),
      /HandleTimeout of the option is no number of nanoseconds/,
    ],
    ['not JSON', '{"MagicNumber":nope}', /no valid JSON/],
    ['10 MiB', `{"MagicNumber":3927900,"x":"${'y'.repeat(10 << 20)}`, /larger than the 16384 bytes/],
  ]
  for (const [name, sent, why] of rows) {
    it(`${name}: closed, and reported`, async () => {
      const { peer, reports, rest, clock } = await serve()
      peer.send(sent)
      assert.equal(await rest(), '')
      assert.match(reports.join(), why)
      peer.wire.end()
      await clock.advance(2000)
      await peer.closed
      assert.equal(clock.timers, 0)
    })
  }

  it('is complete in time, however many bytes it drips', async () => {
    const { peer, clock } = await serve()
    peer.send('{"MagicNumber":3927900,')
    for (let i = 0; i < 5; i++) {
      await clock.advance(1100)
      peer.send(' ')
    }
    await clock.advance(100)
    await peer.closed
    assert.equal(clock.timers, 0)
  })

  it('of our own clients is 512 bytes, whatever is in it', () => {
    const given = { codecType: 'application/gob', connectTimeoutNs: 1e10, handleTimeoutNs: 3e8 }
    const bytes = writeOption(given)
    assert.equal(bytes.length, 512)
    assert.deepEqual(readOption(JSON.parse(new TextDecoder().decode(bytes))), given)
    assert.deepEqual(bytes.subarray(-2), Uint8Array.of(0x20, 0x7d))
  })
})

describe('geerpc server: time', () => {
  it('answers after HandleTimeout in the words of Go, aborts the call, and never sends the real answer', async () => {
    let aborted: unknown
    const { promise, resolve } = Promise.withResolvers<unknown>()
    const { ask, clock } = await serveScript(geerpcProtocol, (call) => {
      call.onCancel((reason) => {
        aborted = reason
      })
      return promise
    })
    await ask(option('json', { HandleTimeout: 300e6 }) + request('Foo.Slow', 1, {}))
    await clock.advance(299)
    assert.equal(await ask(''), '')
    await clock.advance(5)
    assert.equal(
      await ask(''),
      `${header('Foo.Slow', 1, 'rpc server: request handle timeout: expect within 300ms')}\n{}\n`,
    )
    assertRpcError(aborted, 'deadline_exceeded', /no answer within/)
    resolve(7)
    assert.equal(await ask(''), '')
  })

  it('does not end a call by itself: HandleTimeout 0 is no limit', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    const { ask, clock } = await serveScript(geerpcProtocol, () => promise)
    await ask(option('json', { HandleTimeout: 0 }) + request('Foo.Slow', 1, {}))
    await clock.advance(3_600_000)
    resolve(7)
    assert.equal(await ask(''), `${header('Foo.Slow', 1)}\n7\n`)
  })

  it('closes a connection on which a header was begun and does not go on', async () => {
    for (const begun of [
      '{"ServiceMethod":',
      `${header('Foo.Sum', 1)}\n`,
      `${header('Foo.Sum', 1)}\n{"Num1":`,
    ]) {
      const { peer, ask, clock } = await serve()
      await ask(option('json') + begun)
      await clock.advance(31_000)
      await peer.closed
      assert.equal(clock.timers, 0)
    }
  })
})

describe('geerpc server: bounds', () => {
  it('refuses calls beyond the limit, and those that come while it drains; then ends', async () => {
    const { ask, session, rest, peer } = await serve({ maxCalls: 1 })
    await ask(option('json') + request('Foo.Never', 1, {}))
    assert.match(
      await ask(request('Foo.Sum', 2, {})),
      /"Seq":2,"Error":"1 calls of this connection are in flight/,
    )
    session.drain()
    assert.match(await ask(request('Foo.Sum', 3, {})), /"Seq":3,"Error":"the server is draining"/)
    const closing = session.close()
    assert.match(await rest(), /"Seq":1,"Error":"the server has closed the connection"/)
    peer.wire.end()
    await closing
  })

  it('answers a body that is larger than allowed, then closes', async () => {
    const { peer, rest, reports } = await serve({ maxMessageBytes: 1000 })
    peer.send(option('json') + header('Foo.Echo', 1) + `"${'x'.repeat(5000)}`)
    assert.match(await rest(), /"Seq":1,"Error":"a value is larger than the 1000 bytes/)
    assert.match(reports.join(), /broke the protocol/)
  })

  it('gob: a bomb of types costs nothing and ends the connection', async () => {
    const { peer, rest, reports } = await serve()
    const bomb = new MemoryOutput()
    for (let id = 65; id < 2000; id++) {
      const one = gob.encode({ a: id }, gob.struct(`T${id}`, { [`f${id}`]: gob.int }))
      bomb.ensure(one.length)
      bomb.bytes.set(one, bomb.at)
      bomb.at += one.length
    }
    peer.send(option('gob'))
    peer.send(bomb.take())
    assert.equal(await rest(), '')
    assert.equal(reports.length, 1)
  })

  it('gob: a length of 2^60 is refused at once', async () => {
    const { peer, rest, reports } = await serve()
    peer.send(option('gob'))
    peer.send(Uint8Array.of(0xf8, 0x10, 0, 0, 0, 0, 0, 0, 0))
    assert.equal(await rest(), '')
    assert.equal(reports.length, 1)
  })

  it('closes a peer that does not read its answers', async () => {
    const { peer, session, clock } = await serve({ maxUnsentBytes: 20_000, maxMessageBytes: 10_000 })
    peer.wire.pause()
    peer.send(option('json'))
    for (let i = 0; i < 50; i++) peer.send(request('Foo.Echo', i, 'x'.repeat(8000)))
    await clock.settle()
    peer.wire.resume()
    await peer.closed
    assert.equal(session.state, 'closed')
  })
})

describe('geerpc client', () => {
  it('sends the option with the first call, in one piece, and counts from 1', async () => {
    const rig = await dialScript(createGeerpcProtocol({ codec: 'json', handleTimeoutMs: 300 }))
    assert.equal(await rig.sent(), '')
    const first = rig.start('Sum', [{ Num1: 1, Num2: 2 }], { service: 'Foo' })
    const sent = await rig.sent()
    assert.deepEqual(JSON.parse(sent.slice(0, 512)), {
      MagicNumber: 3927900,
      CodecType: 'application/json',
      ConnectTimeout: 10_000_000_000,
      HandleTimeout: 300_000_000,
    })
    assert.equal(sent.slice(512), request('Foo.Sum', 1, { Num1: 1, Num2: 2 }))
    const second = rig.start('Echo', [], { service: 'Foo' })
    assert.equal(await rig.sent(), request('Foo.Echo', 2, {}))
    rig.peer.send(request('Foo.Echo', 2, 'b') + request('Foo.Sum', 1, 3))
    assert.deepEqual([await first.reply, await second.reply], [3, 'b'])
    await rig.close()
  })

  it('takes errors verbatim, also of a call that was given up, and skips late answers', async () => {
    const rig = await dialScript(createGeerpcProtocol({ codec: 'json' }))
    const given = rig.start('A', [1], { service: 'Foo' })
    const failing = rig.start('B', [1], { service: 'Foo' })
    given.call.cancel(new RpcError('cancelled', 'enough'))
    assertRpcError(await given.reply, 'cancelled', /^enough$/)
    await rig.sent()
    rig.peer.send(`${header('Foo.A', 1)}\n[1]\n${header('Foo.B', 2, 'EOF')}\n{}\n`)
    assertRpcError(await failing.reply, 'unknown', /^EOF$/)
    assert.deepEqual(rig.reports, [])
    await rig.close()
  })

  it('fails a call whose answer does not decode, and goes on', async () => {
    const rig = await dialScript(createGeerpcProtocol({ codec: 'json' }))
    const one = rig.start('A', [1], { service: 'Foo' })
    const two = rig.start('B', [1], { service: 'Foo' })
    await rig.sent()
    rig.peer.send(`${header('Foo.A', 1)}\n{nope}\n${header('Foo.B', 2)}\n5\n`)
    assertRpcError(await one.reply, 'internal', /the answer of Foo\.A cannot be read/)
    assert.equal(await two.reply, 5)
    await rig.close()
  })

  it('fails all calls when the answers are garbage, and reports it', async () => {
    const rig = await dialScript(createGeerpcProtocol({ codec: 'json' }))
    const one = rig.start('A', [1], { service: 'Foo' })
    await rig.sent()
    rig.peer.send('HTTP/1.1 400 Bad Request\r\n\r\n')
    assertRpcError(await one.reply, 'invalid_argument', /a header cannot be read/)
    assert.match(rig.reports.join(), /broke the protocol/)
    await rig.close()
  })

  it('leaves the connection behind a call that the server does not know, for the original servers lose their place', async () => {
    const rig = await dialScript(createGeerpcProtocol({ codec: 'json' }))
    const one = rig.start('A', [1], { service: 'Foo' })
    await rig.sent()
    rig.peer.send(`${header('Foo.A', 1, "rpc server: can't find method A")}\n{}\n`)
    assertRpcError(await one.reply, 'not_found', /^rpc server: can't find method A$/)
    assert.equal(rig.client.state, 'draining')
    await rig.close()
  })

  it('sends one value: several by declared names, none as an empty object; else says what to do', async () => {
    const rig = await dialScript(createGeerpcProtocol({ codec: 'json' }))
    const info = { params: ['X', 'Y'], idempotent: false, input: 'values', output: 'value' } as const
    rig.start('A', [1, 2], { service: 'Foo', info })
    rig.start('B', [], { service: 'Foo', args: { list: [], named: new Map([['a', 1]]) } })
    const bad = rig.start('C', [1, 2], { service: 'Foo' })
    assertRpcError(await bad.reply, 'invalid_argument', /a Go method takes one argument/)
    assert.equal(
      (await rig.sent()).slice(512),
      request('Foo.A', 1, { X: 1, Y: 2 }) + request('Foo.B', 2, { a: 1 }),
    )
    await rig.close()
  })

  it('waits for the answer to CONNECT before it sends anything else', async () => {
    const rig = await dialScript(createGeerpcProtocol({ codec: 'json', http: '/_myrpc_' }))
    assert.equal(rig.client.state, 'opening')
    assert.equal(await rig.sent(), 'CONNECT /_myrpc_ HTTP/1.0\n\n')
    for (const char of 'HTTP/1.0 200 Connected to MyRPC\n\n') rig.peer.send(char)
    await rig.clock.settle()
    assert.equal(rig.client.state, 'ready')
    const { reply } = rig.start('A', [1], { service: 'Foo' })
    await rig.sent()
    rig.peer.send(request('Foo.A', 1, 2))
    assert.equal(await reply, 2)
    await rig.close()
  })

  it('refuses an unknown codec before it dials, and takes one of a table', async () => {
    assert.throws(
      () => createGeerpcProtocol({ codec: 'xml' }),
      /unknown codec 'xml'; there are: application\/gob, application\/json/,
    )
    assert.throws(() => createGeerpcProtocol({ handleTimeoutMs: -1 }), /handleTimeoutMs/)
    assert.throws(() => createGeerpcProtocol({ http: 'no path' }), /no path to CONNECT to/)
    const own: GoCodec = gobCodecWith(headerType)
    const protocol = createGeerpcProtocol({ codec: 'own', codecs: { 'application/own': own } })
    await using pair = await createSessionPair({ protocol, codecs: [], handler: handler() })
    assert.equal(await pair.call('Upper', ['a'], { service: 'Foo' }), 'A')
  })

  it('ours and ours, in both codecs', async () => {
    for (const codec of ['gob', 'json']) {
      const protocol = createGeerpcProtocol({ codec })
      await using pair = await createSessionPair({ protocol, codecs: [], handler: handler() })
      assert.equal(await pair.call('Sum', [{ Num1: 1, Num2: 2 }], { service: 'Foo' }), 3)
      const wrapped = await pair.call('Wrap', [{ Name: 'x', Tags: ['é'] }], { service: 'Foo' })
      assert.deepEqual(wrapped, { Name: 'around x', Next: { Name: 'x', Tags: ['é'] } })
      assert.deepEqual(await pair.call('None', [], { service: 'Foo' }), {})
      const unsendable = pair.call('Echo', [() => 1], { service: 'Foo' })
      await assert.rejects(unsendable, { code: 'invalid_argument' })
      // The type of what could not be sent was not told either: the stream goes on.
      assert.equal(await pair.call('Upper', ['z'], { service: 'Foo' }), 'Z')
      assert.deepEqual(pair.reports, [])
    }
  })
})
