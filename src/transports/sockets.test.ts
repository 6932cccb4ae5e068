import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { AsyncLocalStorage } from 'node:async_hooks'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, Socket, type SocketConstructorOpts } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex, duplexPair } from 'node:stream'
import { test } from 'node:test'
import { isNotExecuted, RpcError } from '../core/error.ts'
import { scriptedPeer } from '../testing/scripted-peer.ts'
import { wireFromStream } from './stream-wire.node.ts'
import { createTcpTransport, dialTcp } from './tcp.node.ts'
import type { Wire } from './transport.ts'
import { createUnixTransport } from './unix.node.ts'

const signal = () => new AbortController().signal
const tcp = createTcpTransport()
const unix = createUnixTransport()
const at = (host: string, port: number) => ({ transport: 'tcp', host, port }) as const
const isError = (code: string, message: RegExp) => (thrown: unknown) => {
  assert.ok(RpcError.is(thrown), String(thrown))
  assert.match(thrown.message, message)
  assert.equal(thrown.code, code)
  return true
}
const nobody = () => assert.fail('nobody should come')

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'farcall-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

test('a busy port says which, and what to do', async () => {
  await using busy = await tcp.listen(at('127.0.0.1', 0), nobody)
  const { port } = busy.address as { port: number }
  assert.ok(port > 0)
  const message = new RegExp(
    `^port ${port} on 127\\.0\\.0\\.1 is in use; choose another, or port 0 for any free one$`,
  )
  await assert.rejects(tcp.listen(at('127.0.0.1', port), nobody), isError('already_exists', message))
})

test('an address of another machine cannot be listened at', async () => {
  const message = /192\.0\.2\.1 is no address of this machine; listen on 127\.0\.0\.1/
  await assert.rejects(tcp.listen(at('192.0.2.1', 0), nobody), isError('invalid_argument', message))
})

test('a port that is none is refused before anything happens', async () => {
  await assert.rejects(
    tcp.dial(at('127.0.0.1', 70_000), signal()),
    isError('invalid_argument', /from 0 to 65535/),
  )
})

test('a name is dialled on all its addresses', async () => {
  await using listener = await tcp.listen(at('127.0.0.1', 0), (wire) => scriptedPeer(wire).send('here'))
  const { port } = listener.address as { port: number }
  const near = scriptedPeer(await tcp.dial(at('localhost', port), signal()))
  assert.equal(Buffer.from(await near.read(4)).toString(), 'here')
  assert.equal(near.wire.peer.address, `127.0.0.1:${port}`)
  near.wire.close()
})

test('listening on :: takes IPv4 too, and shows its addresses as such', async (t) => {
  const listener = await tcp
    .listen(at('::', 0), (wire) => scriptedPeer(wire).send(wire.peer.address))
    .catch(() => undefined)
  if (listener === undefined) return t.skip('this machine has no IPv6')
  const { port } = listener.address as { port: number }
  const near = scriptedPeer(await tcp.dial(at('127.0.0.1', port), signal()))
  assert.match(Buffer.from(await near.read(11)).toString(), /^127\.0\.0\.1:/)
  near.wire.close()
  await listener.close()
})

test('a dialled socket is made with the options that only its constructor takes', async () => {
  await using listener = await tcp.listen(at('127.0.0.1', 0), (wire) => scriptedPeer(wire))
  let noDelay: boolean | undefined
  class Seen extends Socket {
    constructor(options: SocketConstructorOpts) {
      super(options)
      noDelay = options.noDelay
    }
  }
  const socket = await dialTcp(listener.address, signal(), Seen)
  socket.destroy()
  assert.equal(noDelay, true)
})

test('brackets around an IPv6 host are understood', async () => {
  await assert.rejects(
    tcp.dial(at('[::1]', 1), signal()),
    isError('unavailable', /nothing listens|no way from here/),
  )
})

test('a time-out of the dial is deadline_exceeded or cancelled by its signal, and destroys the socket', async () => {
  const abort = new AbortController()
  // 192.0.2.0/24 is for documentation: nobody answers, or the system knows that at once.
  const dialling = tcp.dial(at('192.0.2.1', 9), abort.signal)
  abort.abort(new DOMException('the dial timed out', 'TimeoutError'))
  await assert.rejects(
    dialling,
    (thrown) => RpcError.is(thrown) && ['deadline_exceeded', 'unavailable'].includes(thrown.code),
  )
})

test('a reset is told once, in plain words', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const near = scriptedPeer(await tcp.dial(at('127.0.0.1', port), signal()))
  near.send('x')
  while (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve))
  sockets[0]?.resetAndDestroy()
  const error = await near.closed
  isError('unavailable', new RegExp(`^127\\.0\\.0\\.1:${port} reset the connection \\(ECONNRESET\\)$`))(error)
  assert.equal(error?.phase, 'receive')
  assert.ok(!isNotExecuted(error))
  server.close()
})

test('a socket belongs to no call: what it brings is not seen as part of the one that dialled', async () => {
  const { runInCall, currentCall } = await import('../core/context.ts')
  await using listener = await tcp.listen(at('127.0.0.1', 0), (wire) => scriptedPeer(wire).send('hello'))
  const seen = Promise.withResolvers<unknown>()
  const other = new AsyncLocalStorage<string>()
  const call = { name: 'a call, as far as this test is concerned' } as never
  await other.run('outer', () =>
    runInCall(call, async () => {
      const wire = await tcp.dial(listener.address, signal())
      assert.equal(currentCall(), call)
      wire.onData = () => {
        seen.resolve(currentCall())
        wire.close()
      }
    }),
  )
  assert.equal(await seen.promise, undefined)
})

test('a socket file that a dead process left behind is replaced, and removed in the end', async () => {
  await using dir = await folder()
  const path = join(dir.path, 's')
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  assert.throws(() => execFileSync(process.execPath, ['-e', script]))
  assert.ok(existsSync(path))
  const listener = await unix.listen({ transport: 'unix', path }, (wire) => scriptedPeer(wire).send('new'))
  const near = scriptedPeer(await unix.dial({ transport: 'unix', path }, signal()))
  assert.equal(Buffer.from(await near.read(3)).toString(), 'new')
  near.wire.close()
  await listener.close()
  assert.ok(!existsSync(path))
})

test('a file that is no socket is left alone', async () => {
  await using dir = await folder()
  const path = join(dir.path, 'precious')
  await writeFile(path, 'data')
  await assert.rejects(
    unix.listen({ transport: 'unix', path }, nobody),
    isError('already_exists', /is a file and no socket/),
  )
  assert.ok(existsSync(path))
})

test('a socket path that is too long, or in no folder, is named', async () => {
  const long = `/tmp/${'x'.repeat(120)}`
  await assert.rejects(
    unix.listen({ transport: 'unix', path: long }, nobody),
    isError('invalid_argument', /125 bytes, the system allows/),
  )
  await assert.rejects(
    unix.listen({ transport: 'unix', path: '/nowhere/at/all' }, nobody),
    isError('not_found', /the folder does not exist/),
  )
})

test('a stream that someone else opened is a wire', async () => {
  const [one, other] = duplexPair()
  const near = scriptedPeer(wireFromStream(one, { side: 'client' }))
  const far = scriptedPeer(wireFromStream(other, { side: 'server' }))
  near.send('over a pipe')
  near.wire.end()
  assert.equal(Buffer.from(await far.readToEnd()).toString(), 'over a pipe')
  far.wire.end()
  assert.equal(await near.closed, undefined)
})

test('a stream that is closed already, or breaks, closes its wire once', async () => {
  const dead = new Duplex({ read() {}, write() {} })
  dead.destroy()
  await new Promise((resolve) => dead.once('close', resolve))
  assert.match(
    String((await scriptedPeer(wireFromStream(dead, { side: 'server' })).closed)?.message),
    /closed the connection/,
  )

  const breaking = new Duplex({
    read() {},
    write: (_chunk, _encoding, done) => done(new Error('out of paper')),
  })
  const peer = scriptedPeer(wireFromStream(breaking, { side: 'server' }))
  peer.send('x')
  assert.match(String((await peer.closed)?.message), /broke off: out of paper/)
})

test('all sockets read into the same memory, on both sides', async () => {
  const memory = new Set<ArrayBufferLike>()
  const firstChunk = ({ wire }: { wire: Wire }) =>
    new Promise<void>((resolve) => {
      wire.onData = (chunk) => {
        memory.add(chunk.buffer)
        resolve()
      }
    })
  const far = Promise.withResolvers<void>()
  await using listener = await tcp.listen(at('127.0.0.1', 0), (wire) => {
    const peer = scriptedPeer(wire)
    firstChunk(peer).then(far.resolve, far.reject)
    peer.send('from the server')
  })
  const near = scriptedPeer(await tcp.dial(listener.address, signal()))
  const arrived = firstChunk(near)
  near.send('from the client')
  await Promise.all([arrived, far.promise])
  assert.equal(memory.size, 1)
  near.wire.close()
})

test('what a wire holds back is not overwritten by what others read', async () => {
  let accepted = 0
  await using listener = await tcp.listen(at('127.0.0.1', 0), (wire) => {
    scriptedPeer(wire).send(String(accepted++ % 10).repeat(1000))
  })
  // Each has bytes before it has handlers: the server greets in the turn in which it accepts.
  const peers = await Promise.all(
    Array.from({ length: 20 }, async () => scriptedPeer(await tcp.dial(listener.address, signal()))),
  )
  for (const peer of peers) {
    const [first, ...others] = await peer.read(1000)
    assert.ok(others.every((byte) => byte === first))
    peer.wire.close()
  }
})

test('an idle connection holds no buffer', async () => {
  await using listener = await tcp.listen(at('127.0.0.1', 0), (wire) => {
    wire.onEnd = () => wire.end()
  })
  const near = scriptedPeer(await tcp.dial(listener.address, signal()))
  assert.equal(near.wire.out.bytes.length, 0)
  near.send('x')
  assert.equal(near.wire.out.bytes.length, 0)
  near.wire.end()
  await near.closed
})
