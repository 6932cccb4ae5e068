import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RpcError } from 'farcall'
import { type ScriptedPeer, scriptedPeer } from 'farcall/testing'
import { frame, preface, text, types, u32, varint } from './support/frame-peer.ts'
import { createVirtualWorld, watch } from './support/virtual.ts'

// A client whose server means harm, or is broken: every call settles by its deadline with an error that says something,
// and nothing is left. Time is virtual.

const hello = preface({ codecs: ['msgpack'] })
const byte = (...values: number[]) => Buffer.from(values)
const nil = byte(0xc0)

/** A client with calls of every kind in flight to a server that answers with these bytes. */
async function facing(answer: (peer: ScriptedPeer) => void) {
  const world = createVirtualWorld()
  await world.network.transport.listen({ transport: 'memory', name: 'bad' }, (wire) =>
    answer(scriptedPeer(wire)),
  )
  const client = world.connect('memory:bad', { retry: false })
  const bad = client.service('bad') as any
  const deadline = { timeoutMs: 2_000 }
  const calls = {
    value: watch(bad.$with(deadline).value(1)),
    stream: watch(collect(bad.$with(deadline).items())),
    argument: watch(bad.$with(deadline).total(numbers())),
    both: watch(collect(bad.$with(deadline).both(numbers()))),
  }
  await world.clock.advance(2_100)
  for (const [name, { settled, error }] of Object.entries(calls)) {
    assert.equal(settled, 1, `${name} has not settled`)
    assert.ok(error === undefined || RpcError.is(error), `${name}: ${String(error)}`)
  }
  const closing = client.close()
  await world.clock.advance(2_000)
  await closing
  const { pendingCalls, endpoints } = client.status()
  assert.deepEqual([pendingCalls, endpoints.length, world.clock.deadlines.size], [0, 0, 0])
  return { world, calls }
}

async function collect(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const item of items) all.push(item)
  return all
}

async function* numbers() {
  yield 1
  yield 2
}

describe('a server that', () => {
  // The calls have the ids 1 to 4, in the order in which they were made.
  const cases: Record<string, [answer: Buffer[], message: RegExp]> = {
    'speaks HTTP': [
      [Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')],
      /does not speak the farcall protocol/,
    ],
    'sends zeros': [[Buffer.alloc(5_000)], /does not speak the farcall protocol/],
    'claims a preface of 2^31 bytes': [[hello.subarray(0, 8), u32(2 ** 31)], /claims 2147483648 bytes/],
    'chooses a version that was not offered': [[preface({ versions: [9], codecs: ['msgpack'] })], /version/],
    'chooses a codec that was not offered': [[preface({ codecs: ['rot13'] })], /rot13|codec/],
    refuses: [
      [
        preface({
          versions: [9],
          refused: { code: 'unimplemented', message: 'version 1 is not spoken here' },
        }),
      ],
      /version 1 is not spoken here/,
    ],
    'refuses with something that is no reason': [
      [preface({ refused: { code: { a: 1 }, message: null } })],
      /./,
    ],
    'claims a frame of 2^32-1 bytes': [[hello, u32(2 ** 32 - 1)], /4294967295/],
    'answers a call that was never made': [[hello, frame(types.reply, 999, byte(0), nil)], /999/],
    'answers call 0': [[hello, frame(types.reply, 0, byte(0), nil)], /./],
    'answers twice': [[hello, ...[1, 1, 2].map((id) => frame(types.reply, id, byte(0), nil))], /./],
    'sends items of a call that has no stream': [[hello, frame(types.item, 1, nil)], /./],
    'sends items before the head': [[hello, frame(types.item, 2, nil), frame(4, 2, byte(0))], /./],
    'sends two heads': [[hello, frame(4, 2, byte(0)), frame(4, 2, byte(0))], /./],
    'sends items after the end': [
      [hello, frame(4, 2, byte(0)), frame(types.end, 2, byte(0)), frame(types.item, 2, nil)],
      /./,
    ],
    'sends more than the credit': [
      [
        hello,
        frame(4, 2, byte(0)),
        ...Array.from({ length: 200 }, () =>
          frame(types.item, 2, Buffer.concat([byte(0xc6), u32(60_000), Buffer.alloc(60_000)])),
        ),
      ],
      /./,
    ],
    'gives credit without end': [
      [hello, ...Array.from({ length: 200 }, () => frame(types.credit, 3, varint(2 ** 53 - 1)))],
      /./,
    ],
    'sends a value that does not decode': [
      [hello, frame(types.reply, 1, byte(0), byte(0xc1))],
      /no valid MessagePack/,
    ],
    'sends a value nested 50,000 deep': [
      [hello, frame(types.reply, 1, byte(0), Buffer.alloc(50_000, 0x91))],
      /nested deeper/,
    ],
    'claims a list of 2^32-1 items': [
      [hello, frame(types.reply, 1, byte(0), byte(0xdd, 0xff, 0xff, 0xff, 0xff))],
      /./,
    ],
    'sends an error with a code that there is not': [
      [hello, frame(types.error, 1, byte(0), byte(99), text('odd'))],
      /odd/,
    ],
    'sends an error with details that are none': [
      [hello, frame(types.error, 1, byte(8), byte(3), text('odd'), byte(0xa1, 0x41))],
      /./,
    ],
    'sends metadata with a name that is none': [
      [hello, frame(types.reply, 1, byte(1), varint(1), text('__proto__ \n'), text('x'), nil)],
      /./,
    ],
    'makes calls': [[hello, frame(types.call, 5, byte(0, 1), text('a'), text('b'), byte(0x90))], /./],
    'tells of methods that nobody asked for': [
      [
        hello,
        ...Array.from({ length: 5_000 }, (_, n) =>
          frame(types.method, n, byte(0x0f), varint(2), text('a'), text('__proto__')),
        ),
      ],
      /./,
    ],
    'claims a method of 2^40 parameters': [[hello, frame(types.method, 2, byte(0x08), varint(2 ** 40))], /./],
    'defines what is no definition': [[hello, frame(types.define, 0, Buffer.alloc(1_000, 0xff))], /./],
    'sends a critical frame that is not known': [[hello, frame(0xf0, 0, 'x')], /must not be skipped/],
    'sends parts without end': [
      [hello, ...Array.from({ length: 200 }, () => frame(types.part, 1, Buffer.alloc(60_000)))],
      /./,
    ],
    'closes with a reason': [
      [hello, frame(types.close, 0, byte(8), text('too many of you'))],
      /too many of you/,
    ],
    'says nothing after its preface': [[hello], /no answer within 2000 ms/],
  }
  for (const [what, [answer, message]] of Object.entries(cases)) {
    it(what, async () => {
      const { calls } = await facing((peer) => peer.send(Buffer.concat(answer)))
      const errors = Object.values(calls).flatMap(({ error }) =>
        error === undefined ? [] : [error.message as string],
      )
      assert.match(errors.join('\n'), message)
      for (const error of errors)
        assert.doesNotMatch(error, /undefined is not|Cannot read prop|is not a function|Invalid array length/)
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
    })
  }
})

it('that drains as soon as it is reached is not dialled without a pause', async () => {
  const world = createVirtualWorld()
  let dialled = 0
  await world.network.transport.listen({ transport: 'memory', name: 'bad' }, (wire) => {
    // In the end it gives in, or this would never end.
    const drain = ++dialled > 200 ? [] : [frame(types.drain, 0)]
    scriptedPeer(wire).send(Buffer.concat([hello, ...drain]))
  })
  const client = world.connect('memory:bad')
  const reply = watch((client.service('bad') as any).$with({ timeoutMs: 1_000 }).value(1))
  await world.clock.advance(1_100)
  assert.equal(reply.settled, 1)
  assert.ok(dialled < 20, `dialled ${dialled} times in a second`)
})

it('whatever frames a server sends, every call settles and nothing is left', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc
      .tuple(fc.nat(15), fc.uint8Array({ maxLength: 20 }))
      .map(([flags, rest]) => Uint8Array.of(flags, ...rest)),
    fc.constantFrom(byte(0, 0xc0), byte(0, 0x01), byte(0), byte(0xc0), byte(0, 3, 1, 0x41)),
  )
  const anyFrame = fc
    .tuple(fc.oneof(fc.integer({ min: 1, max: 16 }), fc.nat(255)), fc.oneof(fc.nat(5), fc.nat(2 ** 31)), body)
    .filter(([type]) => type !== types.drain)
    .map(([type, id, rest]) => frame(type, id, Buffer.from(rest)))
  await fc.assert(
    fc.asyncProperty(fc.array(anyFrame, { maxLength: 30 }), fc.boolean(), async (frames, isEnded) => {
      await facing((peer) => {
        peer.send(Buffer.concat([hello, ...frames]))
        if (isEnded) peer.wire.end()
      })
    }),
    { numRuns: 300 },
  )
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  assert.deepEqual(unhandled, [])
})
