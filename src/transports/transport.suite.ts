import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { Address } from '../core/endpoint.ts'
import { isNotExecuted, RpcError } from '../core/error.ts'
import { type ScriptedPeer, scriptedPeer } from '../testing/scripted-peer.ts'
import type { Listener, Transport, Wire } from './transport.ts'

/** A transport under test. */
export interface TransportCase extends AsyncDisposable {
  readonly server: Transport
  readonly client: Transport
  /** An address where nothing listens yet; each time another one, except that a port 0 may be given again. */
  readonly free: () => Address
  /** An address where nothing listens, to be dialled. */
  readonly nowhere: () => Address
  /** Takes over a connection that was accepted, where something is around it (TLS). */
  readonly unwrap?: (wire: Wire, again: (inner: Wire) => void) => void
}

/** What everything that carries bytes must do. */
export function transportSuite(
  name: string,
  create: () => Promise<TransportCase>,
  skip: string | false = false,
): void {
  suite(`transport: ${name}`, { skip }, () => {
    test('arbitrary bytes arrive whole and in order, both ways', async () => {
      await using room = await open(create)
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 20 }), async (chunks) => {
          await using pair = await room.connect()
          for (const chunk of chunks) {
            pair.near.send(chunk)
            pair.far.send(chunk)
          }
          pair.near.wire.end()
          pair.far.wire.end()
          const sent = Buffer.concat(chunks)
          assert.ok(sent.equals(await pair.far.readToEnd()))
          assert.ok(sent.equals(await pair.near.readToEnd()))
        }),
        { numRuns: 25 },
      )
    })

    test('what is written leaves by itself at the end of the turn', async () => {
      await using room = await open(create)
      await using pair = await room.connect()
      const { out } = pair.near.wire
      for (let i = 0; i < 100; i++) {
        out.ensure(3)
        out.bytes.fill(i, out.at, out.at + 3)
        out.at += 3
        out.commit(i % 2 === 0)
      }
      const got = await pair.far.read(300)
      assert.deepEqual(
        [...got],
        Array.from({ length: 300 }, (_, i) => Math.floor(i / 3)),
      )
    })

    test('what the listener sends at once, and its end, wait until the dialer has its handlers', async () => {
      await using room = await open(create)
      const other = await room.listen((wire) => {
        const peer = scriptedPeer(wire)
        peer.send('welcome')
        wire.end()
      })
      const dial = async () => room.case.client.dial(other.address, signal())
      const wire = await dial()
      const near = scriptedPeer(wire)
      assert.equal(text(await near.readToEnd()), 'welcome')
      near.wire.end()
      await near.closed
      await other.close()
    })

    test('a write of 1 MiB arrives whole, and its buffer is not overwritten before it has left', async () => {
      await using room = await open(create)
      await using pair = await room.connect()
      const size = 1024 * 1024
      for (let round = 1; round <= 4; round++) {
        pair.near.send(new Uint8Array(size).fill(round))
        pair.near.send(new Uint8Array(1000).fill(round + 100))
      }
      for (let round = 1; round <= 4; round++) {
        assert.ok((await pair.far.read(size)).every((byte) => byte === round))
        assert.ok((await pair.far.read(1000)).every((byte) => byte === round + 100))
      }
    })

    test('ending one direction leaves the other open', async () => {
      await using room = await open(create)
      await using pair = await room.connect()
      pair.near.send('question')
      pair.near.wire.end()
      assert.equal(text(await pair.far.readToEnd()), 'question')
      pair.far.send('answer')
      assert.equal(text(await pair.near.read(6)), 'answer')
      pair.far.wire.end()
      assert.equal(await pair.near.closed, undefined)
      assert.equal(await pair.far.closed, undefined)
    })

    test('what was sent before closing in good order arrives', async () => {
      await using room = await open(create)
      await using pair = await room.connect()
      const last = new Uint8Array(300_000).fill(7)
      pair.near.send(last)
      pair.near.wire.end()
      assert.equal((await pair.far.readToEnd()).length, last.length)
    })

    test('onClose comes exactly once on each side, and closing twice is harmless', async () => {
      await using room = await open(create)
      const pair = await room.connect()
      let closes = 0
      for (const { wire } of [pair.near, pair.far]) {
        const { onClose } = wire
        wire.onClose = (error) => {
          closes++
          onClose(error)
        }
      }
      const reason = new RpcError('aborted', 'for a reason')
      pair.near.wire.close(reason)
      pair.near.wire.close()
      assert.equal(closes, 0, 'never within the call')
      assert.equal(await pair.near.closed, reason)
      pair.far.wire.close()
      await pair.far.closed
      await pair[Symbol.asyncDispose]()
      pair.near.wire.end()
      pair.near.send('into the void')
      await laps(5)
      assert.equal(closes, 2)
    })

    test('the peer of one that closes sees its end', async () => {
      await using room = await open(create)
      await using pair = await room.connect()
      pair.near.wire.close()
      assert.equal((await pair.far.readToEnd()).length, 0)
      pair.far.wire.end()
      await pair.far.closed
    })

    test('closing in the middle of a large write is no crash', async () => {
      await using room = await open(create)
      await using pair = await room.connect()
      pair.near.send(new Uint8Array(8 * 1024 * 1024))
      pair.far.wire.close()
      pair.near.wire.close()
      await pair.near.closed
      await pair.far.closed
    })

    test('a peer that goes while we write is told as one error that names it', async () => {
      await using room = await open(create)
      await using pair = await room.connect()
      pair.far.wire.close()
      await pair.far.closed
      let gone = false
      void pair.near.closed.then(() => (gone = true))
      while (!gone) {
        pair.near.send('still there?')
        await laps(1)
      }
      const error = await pair.near.closed
      assert.ok(RpcError.is(error))
      assert.equal(error.code, 'unavailable')
      assert.ok(error.message.includes(pair.near.wire.peer.address), error.message)
    })

    test('a handler that throws closes its own connection with that error', async () => {
      await using room = await open(create)
      await using pair = await room.connect()
      pair.far.wire.onData = () => {
        throw new Error('a bug in a session')
      }
      pair.near.send('x')
      assert.match(String((await pair.far.closed)?.message), /a bug in a session/)
      await using other = await room.connect()
      other.near.send('y')
      assert.equal(text(await other.far.read(1)), 'y')
    })

    test('bytes that are put back come first, in a later turn', async () => {
      await using room = await open(create)
      const accepted = room.accepted()
      await using near = scriptedPeer(await room.dial())
      const wire = await accepted
      const got = Promise.withResolvers<string>()
      let all = ''
      wire.onData = (first) => {
        let within = true
        wire.onData = (chunk) => {
          assert.ok(!within, 'not within the call')
          all += text(chunk)
          if (all.length >= 10) got.resolve(all)
        }
        wire.unread(first)
        // The chunk is only borrowed.
        first.fill(0)
        within = false
      }
      near.send('hello')
      near.send('world')
      assert.equal(await got.promise, 'helloworld')
      wire.close()
    })

    test('an end that follows bytes put back comes after them', async () => {
      await using room = await open(create)
      const accepted = room.accepted()
      await using near = scriptedPeer(await room.dial())
      const wire = await accepted
      const order: string[] = []
      const ended = Promise.withResolvers<void>()
      wire.onData = (first) => {
        wire.onData = (again) => (order[0] = (order[0] ?? '') + text(again))
        wire.pause()
        wire.unread(first)
        setImmediate(() => wire.resume())
      }
      wire.onEnd = () => {
        order.push('end')
        ended.resolve()
      }
      near.send('bytes')
      near.wire.end()
      await ended.promise
      assert.deepEqual(order, ['bytes', 'end'])
      wire.close()
    })

    test('a paused wire reads nothing; the sender sees what is queued, then onDrain', async () => {
      await using room = await open(create)
      await using pair = await room.connect()
      const { near, far } = pair
      far.wire.pause()
      let sent = 0
      // The system buffers some; in the end it takes no more.
      while (near.wire.out.queued < 1024 * 1024) {
        near.send(new Uint8Array(64 * 1024).fill(sent % 251))
        sent += 64 * 1024
        await laps(1)
        assert.ok(sent < 64 * 1024 * 1024, 'the sender never notices')
      }
      const before = far.received
      await laps(3)
      assert.equal(far.received, before)
      const drained = Promise.withResolvers<void>()
      near.wire.onDrain = () => drained.resolve()
      far.wire.resume()
      await drained.promise
      assert.equal(near.wire.out.queued, 0)
      const got = await far.read(sent)
      for (let i = 0; i < sent; i += 64 * 1024) assert.equal(got[i], i % 251)
    })

    test('dialling where nobody listens is unavailable, in phase connect, not executed', async () => {
      await using room = await open(create)
      const error = await rejection(room.case.client.dial(room.case.nowhere(), signal()))
      assert.equal(error.code, 'unavailable')
      assert.equal(error.phase, 'connect')
      assert.ok(isNotExecuted(error))
      assert.match(error.message, /nothing listens at/)
    })

    test('dialling that is aborted rejects as cancelled and leaves nothing open', async () => {
      await using room = await open(create)
      const before = await rejection(room.case.client.dial(room.listener.address, AbortSignal.abort()))
      assert.equal(before.code, 'cancelled')
      const abort = new AbortController()
      const peers: ScriptedPeer[] = []
      const other = await room.listen((wire) => peers.push(scriptedPeer(wire)))
      const dialling = room.case.client.dial(other.address, abort.signal)
      abort.abort(new RpcError('cancelled', 'never mind'))
      assert.match((await rejection(dialling)).message, /never mind/)
      // If it got as far as the listener, the far side sees it close.
      const next = scriptedPeer(await room.case.client.dial(other.address, signal()))
      next.send('x')
      while (!peers.some((peer) => peer.received === 1)) await laps(1)
      for (const peer of peers) {
        if (peer.received === 0) await peer.readToEnd()
        peer.wire.close()
        await peer.closed
      }
      next.wire.close()
      await next.closed
      await other.close()
    })

    test('a busy address is already_exists and names it', async () => {
      await using room = await open(create)
      const error = await rejection(room.case.server.listen(room.listener.address, (wire) => wire.close()))
      assert.equal(error.code, 'already_exists')
      assert.match(error.message, /in use.*choose another/)
    })

    test('a closed listener keeps its connections, takes no new ones and frees the address', async () => {
      await using room = await open(create)
      await using pair = await room.connect()
      const { address } = room.listener
      await room.listener.close()
      await room.listener.close()
      pair.near.send('still')
      assert.equal(text(await pair.far.read(5)), 'still')
      assert.equal((await rejection(room.case.client.dial(address, signal()))).code, 'unavailable')
      const again = await room.case.server.listen(address, (wire) => wire.close())
      await again.close()
    })

    test('each side knows the address of the other', async () => {
      await using room = await open(create)
      await using pair = await room.connect()
      assert.ok(pair.near.wire.peer.address.length > 0)
      assert.ok(pair.far.wire.peer.address.length > 0)
      assert.equal(pair.near.wire.peer.transport, pair.far.wire.peer.transport)
    })
  })
}

interface Pair extends AsyncDisposable {
  readonly near: ScriptedPeer
  readonly far: ScriptedPeer
}

async function open(create: () => Promise<TransportCase>) {
  const made = await create()
  const waiting: ((wire: Wire) => void)[] = []
  const early: Wire[] = []
  const hand = (wire: Wire) => {
    const next = waiting.shift()
    if (next === undefined) early.push(wire)
    else next(wire)
  }
  const listen = (accept: (wire: Wire) => void): Promise<Listener> =>
    made.server.listen(made.free(), (wire) =>
      made.unwrap === undefined ? accept(wire) : made.unwrap(wire, accept),
    )
  const listener = await listen(hand)
  const accepted = () => new Promise<Wire>((resolve) => waiting.push(resolve))
  const dial = () => made.client.dial(listener.address, signal())
  return {
    case: made,
    listener,
    listen,
    accepted,
    dial,
    async connect(): Promise<Pair> {
      const far = accepted().then(scriptedPeer)
      const near = scriptedPeer(await dial())
      const pair = { near, far: await far }
      const dispose = async () => {
        await pair.near[Symbol.asyncDispose]()
        await pair.far[Symbol.asyncDispose]()
      }
      return { ...pair, [Symbol.asyncDispose]: dispose }
    },
    async [Symbol.asyncDispose]() {
      await listener.close()
      for (const wire of early) wire.close()
      await made[Symbol.asyncDispose]()
    },
  }
}

const signal = () => new AbortController().signal
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

async function laps(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

async function rejection(promise: Promise<unknown>): Promise<RpcError> {
  const error = await promise.then(
    () => assert.fail('it should have failed'),
    (thrown: unknown) => thrown,
  )
  assert.ok(RpcError.is(error), String(error))
  return error
}
