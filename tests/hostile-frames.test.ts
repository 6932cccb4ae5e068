import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { seededRandom } from 'farcall'
import { call, frame, framePeer, preface, text, types, u32, varint } from './support/frame-peer.ts'
import {
  holdsAtMost,
  type Scene,
  attack,
  bystander,
  setScene,
  soon,
  strike,
  unharmed,
} from './support/scene.ts'

// Peers that mean harm, or are broken: each gets a clear error within a second, memory stays bounded, and a bystander
// does not notice.

describe('a server among hostile peers', () => {
  let scene: Scene
  before(async () => {
    scene = await setScene('server')
  })
  after(() => strike(scene))

  it('garbage is hung up on', async () => {
    const random = seededRandom(7)
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.from(Array.from({ length: 5_000 }, () => Math.floor(random() * 256)))
      await using peer = await framePeer(scene.target)
      peer.send(bytes)
      await soon(peer.closed, `garbage ${bytes.subarray(0, 8).toString('hex')}`)
    }
    await unharmed(scene)
  })

  it('garbage after a good beginning gets a reason', async () => {
    const random = seededRandom(8)
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.from(Array.from({ length: 300 }, () => Math.floor(random() * 256)))
      // A length that fits, so that it is the body that is looked at.
      bytes.writeUInt32BE(40 + (round % 100), 0)
      await using peer = await framePeer(scene.target)
      peer.send(preface(), bytes)
      peer.socket.end()
      await soon(peer.closed, `garbage ${bytes.subarray(0, 8).toString('hex')}`)
    }
    await unharmed(scene)
  })

  it('a conversation that ends at any byte ends on this side too', async () => {
    const whole = Buffer.concat([
      preface(),
      call(1, 'echo', '["a"]'),
      call(2, 'total', '[null]', { flags: 4, before: varint(0) }),
      frame(types.item, 2, '"b"'),
      frame(types.end, 2, Buffer.from([0])),
    ])
    for (let length = 0; length <= whole.length; length++) {
      await using peer = await framePeer(scene.target)
      peer.send(whole.subarray(0, length))
      peer.socket.end()
      await soon(peer.closed, `the first ${length} bytes`)
    }
    await unharmed(scene)
  })

  it('a peer that stops at any byte is closed when it answers no ping', async () => {
    const whole = Buffer.concat([preface(), call(1, 'hang')])
    const peers = await Promise.all(
      Array.from({ length: whole.length }, async (_, at) => {
        const peer = await framePeer(scene.target)
        peer.send(whole.subarray(0, at + 1))
        return peer
      }),
    )
    await bystander(scene)
    // Patience of this victim: 500 ms for a first message, 800 ms of silence later.
    await soon(Promise.all(peers.map((peer) => peer.closed)), 'the peers that stopped', 2_500)
    await unharmed(scene)
  })

  const badFrames: Record<string, [bytes: Buffer[], answer: RegExp]> = {
    'a frame of 2^31 bytes': [[preface(), u32(2 ** 31), Buffer.alloc(100, 1)], /2147483648/],
    'a frame of 2^32-1 bytes': [[preface(), u32(2 ** 32 - 1), Buffer.alloc(100, 1)], /4294967295/],
    'a frame of no bytes': [[preface(), u32(0)], /invalid_argument|resource_exhausted/],
    'a frame of one byte': [[preface(), u32(1), Buffer.from([1])], /invalid_argument/],
    'a preface of 2^31 bytes': [
      [preface().subarray(0, 8), u32(2 ** 31), Buffer.alloc(5000, 0x20)],
      /invalid_argument: the preface claims 2147483648 bytes, at most 4096/,
    ],
    'a preface that is no JSON': [
      [preface().subarray(0, 8), u32(4), Buffer.from('{{{{')],
      /invalid_argument: the preface is not JSON/,
    ],
    'a preface of another version': [[preface({ versions: [7] })], /unimplemented: .*version 7/],
    'a preface with another codec': [[preface({ codecs: ['rot13'] })], /rot13/],
    'a preface with numbers that are none': [
      [preface({ maxFrameBytes: -1, streamWindowBytes: 'x', maxCalls: 1e300 }), call(1, 'echo', '[1]')],
      /invalid_argument: the preface's 'maxFrameBytes' must be an integer of at least 4096, got -1/,
    ],
    'an id of eleven bytes': [
      [preface(), u32(13), Buffer.from([1]), Buffer.alloc(11, 0xff), Buffer.from([1])],
      /invalid_argument/,
    ],
    'a name of 2^40 bytes': [
      [preface(), frame(1, 1, Buffer.from([0, 1]), varint(2 ** 40), 'abc')],
      /invalid_argument/,
    ],
    'a method number that was never given': [
      [preface(), frame(1, 1, Buffer.from([0]), varint(999), '[]')],
      /invalid_argument/,
    ],
    'a call with id 0': [[preface(), call(0, 'echo')], /invalid_argument/],
    'an id that was used': [
      [preface(), call(1, 'echo', '[1]'), call(2, 'hang'), call(2, 'echo', '[2]'), call(1, 'echo', '[3]')],
      /reply/,
    ],
    'an item for a call that was never made': [[preface(), frame(types.item, 9, '1')], /never made/],
    'an end for a call that was never made': [
      [preface(), frame(types.end, 9, Buffer.from([0]))],
      /never made/,
    ],
    'an item for a call that takes none': [
      [preface(), call(1, 'hang'), frame(types.item, 1, '1')],
      /takes none/,
    ],
    'an item after the end': [
      [
        preface(),
        call(1, 'total', '[null]', { flags: 4, before: varint(0) }),
        frame(types.end, 1, Buffer.from([0])),
        frame(types.item, 1, '1'),
      ],
      /reply|invalid_argument/,
    ],
    'a reply from a client': [
      [preface(), call(1, 'hang'), frame(types.reply, 1, Buffer.from([0]), '1')],
      /invalid_argument/,
    ],
    'a drain from a client': [[preface(), frame(types.drain, 0)], /a client cannot drain/],
    'a critical frame that is not known': [[preface(), frame(0xc5, 0, 'x')], /unimplemented/],
    'more credit than there can be': [
      [
        preface(),
        call(2, 'flood'),
        ...Array.from({ length: 300 }, () => frame(types.credit, 2, varint(2 ** 53 - 1))),
        call(1, 'echo', '[1]'),
      ],
      /reply/,
    ],
    'metadata of 10,000 entries': [
      [
        preface(),
        call(1, 'echo', '[1]', {
          flags: 0x40,
          before: Buffer.concat([
            varint(10_000),
            ...Array.from({ length: 10_000 }, (_, i) => Buffer.concat([text(`k${i}`), text('v')])),
          ]),
        }),
      ],
      /resource_exhausted|invalid_argument/,
    ],
    'metadata with a line break': [
      [
        preface(),
        call(1, 'echo', '[1]', {
          flags: 0x40,
          before: Buffer.concat([varint(1), text('a'), text('b\r\nc')]),
        }),
      ],
      /invalid_argument.*control/,
    ],
    'metadata with a name that is none': [
      [
        preface(),
        call(1, 'echo', '[1]', { flags: 0x40, before: Buffer.concat([varint(1), text('A b'), text('c')]) }),
      ],
      /invalid_argument.*metadata name/,
    ],
    'arguments that are no JSON': [[preface(), call(1, 'echo', '[1')], /invalid_argument/],
    'arguments that are no list': [[preface(), call(1, 'echo', '7')], /invalid_argument/],
    'text that is no UTF-8': [
      [preface(), frame(1, 1, Buffer.from([0, 1]), Buffer.from([2, 0xff, 0xfe]), text('echo'), '[1]')],
      /invalid_argument|not_found/,
    ],
  }
  for (const [what, [bytes, expected]] of Object.entries(badFrames)) {
    it(what, async () => {
      assert.match(await attack(scene, ...bytes), expected)
      await bystander(scene)
    })
  }

  it('an argument nested 10^6 deep, in each codec', async () => {
    const depth = 1_000_000
    const json = Buffer.from('['.repeat(depth) + ']'.repeat(depth))
    const parts = (value: Buffer) => {
      const head = Buffer.concat([Buffer.from([0, 1]), text('victim'), text('echo')])
      const pieces: Buffer[] = [frame(types.part, 1, head)]
      for (let at = 0; at < value.length; at += 60_000)
        pieces.push(frame(types.part, 1, value.subarray(at, at + 60_000)))
      return [...pieces, frame(types.call | 0x40, 1)]
    }
    assert.match(await attack(scene, preface(), ...parts(json)), /invalid_argument|resource_exhausted/)
    const packed = Buffer.alloc(depth, 0x91)
    assert.match(
      await attack(scene, preface({ codecs: ['msgpack'] }), ...parts(packed)),
      /invalid_argument|resource_exhausted/,
    )
    const maps = Buffer.from('{"a":'.repeat(300_000))
    assert.match(await attack(scene, preface(), ...parts(maps)), /invalid_argument|resource_exhausted/)
    await unharmed(scene)
  })

  it('claims of msgpack that its bytes do not keep', async () => {
    const claims = ['dd', 'df', 'db', 'c6', 'c9'].map((head) => Buffer.from(`91${head}ffffffff`, 'hex'))
    claims.push(Buffer.from('ddffffffff', 'hex'), Buffer.from('91c8ffff7f', 'hex'))
    for (const claim of claims) {
      assert.match(
        await attack(scene, preface({ codecs: ['msgpack'] }), call(1, 'echo', claim)),
        /invalid_argument|resource_exhausted/,
      )
    }
    await unharmed(scene)
  })

  it('a message that is too large gets an error, and the connection goes on', async () => {
    await using peer = await framePeer(scene.target)
    const piece = Buffer.alloc(60_000, 0x20)
    peer.send(preface(), frame(types.part, 1, Buffer.from([0, 1]), text('victim'), text('echo')))
    for (let sent = 0; sent < 40 * 2 ** 20; sent += piece.length) {
      await peer.flow(frame(types.part, 1, piece))
    }
    peer.send(frame(types.call | 0x40, 1, '[1]'))
    assert.match(await soon(peer.answer(1), 'the error'), /resource_exhausted: .*maxMessageBytes/)
    peer.send(call(2, 'echo', '[1]'))
    assert.equal(await soon(peer.answer(2), 'the next call'), 'reply')
    await peer[Symbol.asyncDispose]()
    await unharmed(scene)
  })

  it('many messages in parts that never end hold no more than the limits allow', async () => {
    await using peer = await framePeer(scene.target)
    peer.send(preface())
    const piece = Buffer.alloc(60_000, 0x20)
    for (let id = 1; id <= 1_000; id++) {
      await peer.flow(frame(types.part, id, piece))
    }
    await bystander(scene)
    await holdsAtMost(scene, 20)
    await peer[Symbol.asyncDispose]()
    await unharmed(scene)
  })

  it('one byte per packet is slow, and right', async () => {
    await using peer = await framePeer(scene.target)
    const bytes = Buffer.concat([preface(), call(1, 'echo', '[{"a":[1,2,"three"]}]'), call(2, 'missing')])
    for (let at = 0; at < bytes.length; at++) {
      await new Promise<void>((resolve) => peer.socket.write(bytes.subarray(at, at + 1), () => resolve()))
    }
    assert.equal(await soon(peer.answer(1), 'the reply'), 'reply')
    assert.match(await soon(peer.answer(2), 'the error'), /^not_found: .*'missing'/)
  })

  it('an id that is in flight is not taken over by another call', async () => {
    await using peer = await framePeer(scene.target)
    peer.send(preface(), call(1, 'hang'), call(1, 'echo', '["second"]'))
    assert.match(await soon(peer.answer(1), 'the error'), /^invalid_argument/)
    await soon(peer.closed, 'the end')
    await unharmed(scene)
  })

  it('1,000 silent connections, and some more', async () => {
    const peers = await Promise.all(Array.from({ length: 1_010 }, () => framePeer(scene.target)))
    await bystander(scene)
    // Only so many are kept; the oldest go first.
    await soon(Promise.all(peers.slice(0, 9).map((peer) => peer.closed)), 'the oldest')
    assert.equal(peers.filter(({ socket }) => socket.closed).length <= 11, true)
    await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()))
    await unharmed(scene)
  })

  it('500 that send a byte now and then', async () => {
    const peers = await Promise.all(Array.from({ length: 500 }, () => framePeer(scene.target)))
    const bytes = preface()
    let at = 0
    const drip = setInterval(() => {
      for (const { socket } of peers) if (socket.writable) socket.write(bytes.subarray(at, at + 1))
      at++
    }, 100)
    try {
      await soon(Promise.all(peers.map((peer) => peer.closed)), 'the slow ones', 2_500)
      await bystander(scene)
    } finally {
      clearInterval(drip)
    }
    await unharmed(scene)
  })

  it('a peer that never reads its answers is closed', async () => {
    await using peer = await framePeer(scene.target)
    peer.socket.pause()
    peer.send(
      preface({
        maxMessageBytes: 2 ** 30,
        maxFrameBytes: 2 ** 20,
        streamWindowBytes: 2 ** 40,
        connectionWindowBytes: 2 ** 40,
      }),
    )
    for (let id = 1; id <= 200; id++) peer.send(call(id, 'text', '[1000000]'))
    for (let id = 201; id <= 300; id++) peer.send(call(id, 'flood'))
    for (let asked = 0; asked < 20; asked++) {
      await bystander(scene)
      const { connections } = await holdsAtMost(scene, 64)
      if (connections === 0) break
    }
    await soon(
      (async () => {
        while ((await scene.v.state()).connections > 0);
      })(),
      'the end of the peer that does not read',
      3_000,
    )
    await unharmed(scene)
  })

  it('calls and cancels in a row (rapid reset) start a bounded number of handlers', async () => {
    await using peer = await framePeer(scene.target)
    const { started } = await scene.v.state()
    const all: Buffer[] = [preface()]
    for (let id = 1; id <= 10_000; id++)
      all.push(call(id, 'hang'), frame(types.cancel, id, Buffer.from([1]), text('')))
    peer.send(Buffer.concat(all), call(10_001, 'echo', '[1]'))
    await soon(peer.answer(10_001), 'the last answer', 3_000)
    await bystander(scene)
    const now = (await scene.v.state()).started - started
    assert.ok(now <= 1024 + 200, `${now} handlers were started`)
    await peer[Symbol.asyncDispose]()
    await bystander(scene)
  })

  it('more streams than are allowed are refused, those that are open go on', async () => {
    await using peer = await framePeer(scene.target)
    peer.send(preface())
    for (let id = 1; id <= 1_000; id++) peer.send(call(id, 'flood'))
    assert.match(await soon(peer.answer(1_000), 'the refusal'), /resource_exhausted: .*maxStreams/)
    await peer[Symbol.asyncDispose]()
    await unharmed(scene)
  })

  it('pings without end', async () => {
    await using peer = await framePeer(scene.target)
    peer.send(
      preface(),
      Buffer.concat(Array.from({ length: 100_000 }, () => frame(types.ping, 0, '12345678'))),
      call(1, 'echo', '[1]'),
    )
    assert.match(await soon(peer.answer(1), 'the answer', 3_000), /reply|resource_exhausted/)
    await peer[Symbol.asyncDispose]()
    await unharmed(scene)
  })
})
