import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { gob, GobDecoder, GobEncoder } from '../../codecs/gob/index.ts'
import { MemoryOutput } from '../../core/bytes/output.ts'
import { RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import type { Limits } from '../../core/limits.ts'
import { method } from '../../core/method.ts'
import { seededRandom } from '../../core/random.ts'
import { createRouter } from '../../core/router.ts'
import { service } from '../../core/service.ts'
import { createSessionPair } from '../../testing/session-pair.ts'
import { headerType, requestType } from '../go-rpc/index.ts'
import type { Protocol } from '../protocol.ts'
import { assertRpcError, dialScript, serveScript } from '../json-head/session-rig.suite.ts'
import { createNetRpcProtocol, netRpcProtocol } from './index.ts'

const recorded = (file: string) =>
  new Uint8Array(readFileSync(new URL(`fixtures/${file}.bin`, import.meta.url)))

const argsType = gob.struct('Args', { a: gob.field('Num1', gob.int), b: gob.field('Num2', gob.int) })
const types = { args: argsType, reply: gob.int }

const foo = service('Foo', {
  // Go's names for a and b are in the types.
  Sum: method({ types }, (args: { a: number; b: number }) => args.a + args.b),
  Fail(_args: unknown) {
    throw new RpcError('failed_precondition', 'fails on purpose: 100% of the time')
  },
  Upper: (text: string) => text.toUpperCase(),
  Wrap: (item: { Name: string }) => ({ Name: `around ${item.Name}` }),
  Never: (_args: unknown) => new Promise(() => {}),
})

const router = createRouter({ random: seededRandom(1), onInternalError: () => {} })
router.add(foo)
const handler: Handler = router.handler
const info = (service: string, name: string) => router.info(service, name)

/** As on a server: what is known of methods is known before their bodies are read. */
const informed: Protocol = {
  ...netRpcProtocol,
  accept: (wire, next, room) => netRpcProtocol.accept(wire, next, { ...room, info }),
}

const serve = (limits: Partial<Limits> = {}) => serveScript(informed, handler, limits)

function requests(...all: [name: string, seq: number, body: unknown, type?: gob.GobType][]): Uint8Array {
  const encoder = new GobEncoder()
  const output = new MemoryOutput()
  for (const [serviceMethod, seq, body, type] of all) {
    encoder.encode({ serviceMethod, seq }, output, requestType)
    encoder.encode(body, output, type)
  }
  return output.take()
}

interface Answer {
  readonly seq: number | bigint
  readonly error: string
  readonly value: unknown
}

function readAll(bytes: Uint8Array): Answer[] {
  const decoder = new GobDecoder()
  decoder.push(bytes)
  const found: Answer[] = []
  while (decoder.ready) {
    const { seq = 0, error = '' } = decoder.decodeNext(headerType) ?? {}
    found.push({ seq, error, value: decoder.decodeNext() })
  }
  return found
}

describe('net-rpc server', () => {
  it('answers what Go sent, in one piece and byte by byte', async () => {
    const bytes = recorded('gob.client')
    const answers = []
    for (const pieces of [[bytes], Array.from(bytes, (byte) => Uint8Array.of(byte))]) {
      const { peer } = await serve()
      for (const piece of pieces) peer.send(piece)
      peer.wire.end()
      answers.push(await peer.readToEnd())
    }
    assert.deepEqual(answers[1], answers[0])
    const texts = readAll(answers[0] as Uint8Array).map(({ error }) => error)
    assert.deepEqual(
      texts,
      readAll(recorded('gob.server')).map(({ error }) => error),
    )
    assert.equal(texts.filter(Boolean).length, 3)
  })

  it('writes the definition and the header of an answer as Go does', async () => {
    const { peer } = await serve()
    peer.send(requests(['Foo.Upper', 0, 'a']))
    peer.wire.end()
    const hex = Buffer.from(await peer.readToEnd()).toString('hex')
    // As in the fixture, but for the ids.
    assert.match(hex, /^3aff81030101/)
    assert.match(
      hex,
      /08526573706f6e736501ff82000103010d536572766963654d6574686f64010c00010353657101060001054572726f72010c000000/,
    )
  })

  it('answers a body that does not fit, skips that of a refused call, and goes on', async () => {
    const pair = await createSessionPair({ protocol: netRpcProtocol, codecs: [], handler, info })
    await using _ = pair
    const sum = (args: unknown, patch: object = {}) => pair.call('Sum', [args], { service: 'Foo', ...patch })
    assert.equal(await sum({ a: 1, b: 2 }), 3)
    const { peer } = await serve()
    peer.send(
      requests(
        ['Foo', 1, { Big: { Nested: [1, 2] } }],
        ['Foo.Nope', 2, 5],
        ['Foo.Upper', 3, 'a'],
        ['Foo.Upper', 18, 5],
        ['Foo.Sum', 19, 'a text'],
        ['Foo.Sum', 20, { Num1: 2.5 }],
        ['Foo.Sum', 21, { Num2: 7 }],
      ),
    )
    peer.wire.end()
    const answers = readAll(await peer.readToEnd())
    assert.deepEqual(
      answers.map(({ seq, error }) => [seq, error.replace(/ \(id.*/, '')]),
      [
        [1, 'rpc: service/method request ill-formed: Foo'],
        [2, "rpc: can't find method Foo.Nope"],
        [3, ''],
        [18, 'internal error'],
        [19, 'the gob value at $ is a string at the peer, where a struct is expected'],
        [20, 'the gob value at $.a is a float at the peer, where an int is expected'],
        [21, ''],
      ],
    )
    assert.equal(answers.at(-1)?.value, 7)
  })

  it('reads a body by the declared type, with names of ours for those of Go', async () => {
    const pair = await createSessionPair({ protocol: netRpcProtocol, codecs: [], handler, info })
    await using _ = pair
    assert.equal(await pair.call('Sum', [{ a: 20, b: 22 }], { service: 'Foo' }), 42)
    assert.deepEqual(pair.served[0]?.args, { list: [{ a: 20, b: 22 }], message: true })
  })

  it('ends a connection with a header that is none, with a bomb, and with one that does not go on', async () => {
    const bombs: Uint8Array[] = [
      gob.encode('no header'),
      Uint8Array.of(0x20, 0x7f, ...new Uint8Array(31).fill(0xff)),
      Uint8Array.of(0xf8, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
    ]
    for (const bomb of bombs) {
      const { peer, rest, reports } = await serve()
      peer.send(bomb)
      assert.equal(await rest(), '')
      assert.equal(reports.length, 1)
    }
    // The first header has little time; the body behind it goes on, or has as long as any message.
    for (const [bytes, ms] of [
      [recorded('gob.client').subarray(0, 30), 5_000],
      [requests(['Foo.Upper', 0, 'text']).slice(0, -1), 30_000],
    ] as const) {
      const { peer, clock, session } = await serve()
      peer.send(bytes)
      await clock.advance(ms - 100)
      assert.equal(session.state, 'ready')
      await clock.advance(200)
      await peer.closed
      assert.equal(clock.timers, 0)
    }
  })

  it('cancels what is under way when the peer is lost', async () => {
    const { peer, session, clock } = await serve()
    peer.send(requests(['Foo.Never', 0, 1]))
    await clock.settle()
    assert.equal(session.inFlight, 1)
    peer.wire.close()
    await clock.settle()
    assert.deepEqual([session.state, session.inFlight], ['closed', 0])
  })
})

describe('net-rpc client', () => {
  it('counts from 0, sends what Go sends, and takes answers in any order', async () => {
    const rig = await dialScript(netRpcProtocol)
    const calls = ['a', 'b', 'c'].map((text) => rig.start('Upper', [text], { service: 'Foo' }))
    await rig.clock.settle()
    const decoder = new GobDecoder()
    decoder.push(await rig.peer.read(rig.peer.received))
    const sent = []
    while (decoder.ready) sent.push([decoder.decodeNext(), decoder.decodeNext()])
    assert.deepEqual(sent[0], [{ ServiceMethod: 'Foo.Upper', Seq: 0 }, 'a'])
    assert.deepEqual(
      sent.map(([header]) => (header as { Seq: number }).Seq),
      [0, 1, 2],
    )
    const encoder = new GobEncoder()
    const output = new MemoryOutput()
    for (const seq of [2, 0, 1]) {
      encoder.encode({ serviceMethod: 'Foo.Upper', seq, error: seq === 1 ? 'no' : '' }, output, headerType)
      if (seq === 1) encoder.encode({}, output)
      else encoder.encode(`${seq}`, output)
    }
    rig.peer.send(output.take())
    assert.deepEqual([await calls[0]?.reply, await calls[2]?.reply], ['0', '2'])
    assertRpcError(await calls[1]?.reply, 'unknown', /^no$/)
    await rig.close()
  })

  it('reports answers to calls that were never made, and lives on', async () => {
    const rig = await dialScript(netRpcProtocol)
    const output = new MemoryOutput()
    const encoder = new GobEncoder()
    encoder.encode({ serviceMethod: 'X.Y', seq: 7, error: '' }, output, headerType)
    encoder.encode(5, output)
    rig.peer.send(output.take())
    await rig.clock.settle()
    assert.match(rig.reports.join(), /an answer to call 7, which was never made/)
    assert.equal(rig.client.state, 'ready')
    await rig.close()
  })

  it('fails its calls when the connection is lost, and may not be dialled with a path that is none', async () => {
    const rig = await dialScript(netRpcProtocol)
    const { reply } = rig.start('Upper', ['a'], { service: 'Foo' })
    await rig.clock.settle()
    rig.peer.wire.close()
    assertRpcError(await reply, 'unavailable', /lost before the answer/)
    assert.throws(() => createNetRpcProtocol({ http: 'x y' }), /no path to CONNECT to/)
    await rig.close()
  })
})
