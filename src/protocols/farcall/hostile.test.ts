import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { msgpackCodec } from '../../codecs/msgpack/msgpack.ts'
import { MemoryOutput } from '../../core/bytes/output.ts'
import { writeText } from '../../core/bytes/text.ts'
import { writeVarint } from '../../core/bytes/varint.ts'
import { defaultLimits, type Limits, resolveLimits } from '../../core/limits.ts'
import { seededRandom } from '../../core/random.ts'
import type { Room, Session } from '../protocol.ts'
import { createMemoryTransport } from '../../transports/memory.ts'
import type { Wire } from '../../transports/transport.ts'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import { beginFrame, endFrame } from './encode.ts'
import { farcallProtocol } from './farcall.ts'
import { frameTypes, joinedBit } from './frames.ts'
import { encodePreface, prefaceOf } from './preface.ts'

// A peer that sends whatever bytes it likes to a server's session.
async function attack(limits: Partial<Limits> = {}) {
  const clock = createVirtualClock()
  const transport = createMemoryTransport()
  const reports: string[] = []
  let started = 0
  const room: Room = {
    clock,
    random: seededRandom(1),
    limits: resolveLimits(limits),
    codecs: [msgpackCodec],
    info: () => undefined,
    learn: () => {},
    report: (what) => reports.push(what.message),
  }
  let session: Session | undefined
  const listener = await transport.listen({ transport: 'memory', name: 's' }, (wire) => {
    session = farcallProtocol.accept(
      wire,
      (call) => {
        started++
        if (call.method === 'big') return 'x'.repeat(9000)
        return call.method === 'hang' ? new Promise(() => {}) : call.args.list.length
      },
      room,
    )
  })
  const wire: Wire = await transport.dial({ transport: 'memory', name: 's' }, new AbortController().signal)
  const received: number[] = []
  let closed = false
  wire.onData = (chunk) => received.push(...chunk)
  wire.onClose = () => {
    closed = true
  }
  return {
    async send(bytes: Uint8Array) {
      wire.out.ensure(bytes.length)
      wire.out.bytes.set(bytes, wire.out.at)
      wire.out.at += bytes.length
      wire.out.commit()
      wire.flush()
      await clock.settle()
    },
    preface() {
      return this.send(encodePreface(prefaceOf(defaultLimits, ['msgpack'])))
    },
    frame(type: number, id: number, body: Uint8Array = new Uint8Array()) {
      const output = new MemoryOutput()
      const start = beginFrame(output, type, id)
      output.ensure(body.length)
      output.bytes.set(body, output.at)
      output.at += body.length
      endFrame(output, start)
      return this.send(output.take())
    },
    call(id: number, method: string, args: Uint8Array = Uint8Array.of(0x90)) {
      const output = new MemoryOutput()
      output.ensure(1)
      output.bytes[output.at++] = 0
      writeVarint(output, 1)
      writeText(output, 'test')
      writeText(output, method)
      output.ensure(args.length)
      output.bytes.set(args, output.at)
      output.at += args.length
      return this.frame(frameTypes.call, id, output.take())
    },
    get text() {
      return new TextDecoder().decode(new Uint8Array(received))
    },
    get closed() {
      return closed
    },
    get started() {
      return started
    },
    get session() {
      return session as Session
    },
    wire,
    clock,
    reports,
    async [Symbol.asyncDispose]() {
      wire.close()
      await listener.close()
      await clock.advance(1100)
    },
  }
}

describe('a server session and hostile peers', () => {
  for (const [what, bytes, message] of [
    ['garbage', new Uint8Array(64).fill(0x41), /does not speak the farcall protocol/],
    [
      'a preface that claims 2^32 - 1 bytes',
      new Uint8Array([0, 0x46, 0x41, 0x52, 0x43, 0x41, 0x4c, 0x4c, 255, 255, 255, 255]),
      /claims 4294967295 bytes/,
    ],
  ] as const) {
    it(`closes on ${what} and says why`, async () => {
      await using peer = await attack()
      await peer.send(bytes)
      assert.match(peer.text, message)
      assert.equal(peer.session.state, 'closed')
      assert.equal(peer.reports.length, 1)
    })
  }

  for (const [what, act, message] of [
    ['a frame that claims 2^31 bytes', (p) => p.send(Uint8Array.of(0x80, 0, 0, 0)), /claims 2147483648/],
    [
      'a call id used twice',
      async (p) => (await p.call(1, 'a'), p.call(1, 'a')),
      /call id 1 was used before/,
    ],
    [
      'a lower call id used twice',
      async (p) => (await p.call(5, 'a'), await p.call(4, 'a'), p.call(4, 'a')),
      /call id 4 was used before/,
    ],
    [
      'an item for a call that never was',
      (p) => p.frame(frameTypes.item, 7, Uint8Array.of(1)),
      /call 7, which was never made/,
    ],
    [
      'an item for a call that takes none',
      async (p) => (await p.call(1, 'hang'), p.frame(frameTypes.item, 1, Uint8Array.of(1))),
      /call 1, which takes none/,
    ],
    [
      'a method number that was never given',
      (p) => p.frame(frameTypes.call, 1, Uint8Array.of(0, 9, 0x90)),
      /method number 9, which was never defined/,
    ],
    [
      'a frame that only servers send',
      async (p) => (await p.call(1, 'hang'), p.frame(frameTypes.reply, 1, Uint8Array.of(0, 1))),
      /client cannot send frame type 2/,
    ],
    ['an unknown critical frame', (p) => p.frame(0x80 | 33, 1), /frame type 161 is unknown here/],
    [
      'a fifth message in parts',
      async (p) => {
        for (let id = 1; id <= 5; id++) await p.frame(frameTypes.part, id, new Uint8Array(100))
      },
      /more than 4 messages in parts/,
    ],
    ['a name of 300 bytes', (p) => p.call(1, 'x'.repeat(300)), /a name of 302 bytes, at most 256/],
  ] as readonly [string, (peer: Awaited<ReturnType<typeof attack>>) => Promise<unknown>, RegExp][]) {
    it(`closes on ${what} and says why`, async () => {
      await using peer = await attack()
      await peer.preface()
      await act(peer)
      assert.match(peer.text, message)
      assert.equal(peer.session.state, 'closed')
    })
  }

  it('pings nobody whose preface has not come: a frame before ours could not be read', async () => {
    await using peer = await attack()
    await peer.send(encodePreface(prefaceOf(defaultLimits, ['msgpack'])).subarray(0, 20))
    await peer.clock.advance(defaultLimits.keepaliveMs + defaultLimits.keepaliveTimeoutMs + 1)
    assert.equal(peer.session.state, 'closed')
    assert.equal(peer.text, '')
  })

  it('skips frames that it does not know and need not', async () => {
    await using peer = await attack()
    await peer.preface()
    await peer.frame(33, 1, new Uint8Array(10))
    await peer.call(1, 'a')
    assert.equal(peer.session.state, 'ready')
    assert.equal(peer.started, 1)
  })

  it('answers arguments that do not decode, and goes on', async () => {
    await using peer = await attack()
    await peer.preface()
    await peer.call(1, 'a', new Uint8Array(2000).fill(0x91))
    assert.match(peer.text, /the arguments cannot be read/)
    await peer.call(2, 'a')
    assert.equal(peer.session.state, 'ready')
  })

  it('answers a message in parts that grows too large, keeps none of it, and goes on', async () => {
    await using peer = await attack({ maxMessageBytes: 100_000 })
    await peer.preface()
    const output = new MemoryOutput()
    output.ensure(1)
    output.bytes[output.at++] = 0
    writeVarint(output, 1)
    writeText(output, 'test')
    writeText(output, 'a')
    await peer.frame(frameTypes.part, 1, output.take())
    for (let i = 0; i < 10; i++) await peer.frame(frameTypes.part, 1, new Uint8Array(50_000))
    await peer.frame(frameTypes.call | joinedBit, 1, new Uint8Array(10))
    assert.match(peer.text, /more than the 100000 bytes that are allowed/)
    assert.equal(peer.started, 0)
    await peer.call(2, 'a')
    assert.equal(peer.started, 1)
  })

  it('starts no more handlers than allowed and 200, however fast calls are cancelled', async () => {
    await using peer = await attack({ maxCalls: 50 })
    await peer.preface()
    for (let id = 1; id <= 500; id++) {
      await peer.call(id, 'hang')
      await peer.frame(frameTypes.cancel, id, Uint8Array.of(1, 0))
    }
    assert.equal(peer.started, 250)
  })

  it('closes a peer that does not read its answers', async () => {
    await using peer = await attack({ maxMessageBytes: 10_000, maxUnsentBytes: 20_000 })
    await peer.preface()
    peer.wire.pause()
    let calls = 0
    while (peer.session.state === 'ready' && calls < 1000) await peer.call(++calls, 'big')
    assert.equal(peer.session.state, 'closed')
    // What the system holds for a peer is not ours: the rest of it is little.
    assert.ok(calls < 60, `${calls} answers of 9 kB were kept`)
  })

  it('survives any bytes at all, and lets go of everything', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }),
        fc.boolean(),
        async (chunks, polite) => {
          await using peer = await attack()
          if (polite) await peer.preface()
          for (const chunk of chunks) await peer.send(chunk)
          const closing = peer.session.close()
          await peer.clock.advance(2000)
          await closing
          assert.equal(peer.session.state, 'closed')
          assert.equal(peer.session.inFlight, 0)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('survives every mutation of real traffic', async () => {
    const random = seededRandom(7)
    for (let round = 0; round < 200; round++) {
      await using peer = await attack()
      await peer.preface()
      const output = new MemoryOutput()
      for (let id = 1; id <= 3; id++) {
        const start = beginFrame(output, frameTypes.call, id)
        output.ensure(1)
        output.bytes[output.at++] = 0x04
        writeVarint(output, 0)
        writeText(output, 'test')
        writeText(output, id === 1 ? 'hang' : 'a')
        writeVarint(output, 0)
        output.ensure(3)
        output.bytes.set([0x92, 0xc0, 0x01], output.at)
        output.at += 3
        endFrame(output, start)
      }
      const bytes = output.take()
      for (let flips = 0; flips < 3; flips++)
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
      await peer.send(bytes)
      const closing = peer.session.close()
      await peer.clock.advance(2000)
      await closing
      assert.equal(peer.session.state, 'closed')
    }
  })
})
