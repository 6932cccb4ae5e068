import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { type ScriptedPeer, scriptedPeer } from '../testing/scripted-peer.ts'
import { isNotExecuted, RpcError } from '../core/error.ts'
import { createTcpTransport } from './tcp.node.ts'
import {
  createTlsTransport,
  createTlsUnwrap,
  type TlsClientOptions,
  type TlsServerOptions,
} from './tls.node.ts'
import { transportSuite } from './transport.suite.ts'

const fixture = (name: string) => readFile(new URL(`fixtures/${name}.pem`, import.meta.url), 'utf8')
const pair = async (name: string) => ({
  cert: await fixture(`${name}.cert`),
  key: await fixture(`${name}.key`),
})
const ca = await fixture('ca.cert')

transportSuite('tls', async () => {
  const transport = createTlsTransport({ ca, server: await pair('server') })
  return {
    server: transport,
    client: transport,
    free: () => ({ transport: 'tls', host: '127.0.0.1', port: 0 }),
    nowhere: () => ({ transport: 'tls', host: '127.0.0.1', port: 1 }),
    async [Symbol.asyncDispose]() {},
  }
})

/** A server and what a client sees of it. */
async function meet(server: TlsServerOptions, client: TlsClientOptions, host = 'localhost') {
  const troubles: RpcError[] = []
  const unwrap = createTlsUnwrap({ ...server, report: (error) => troubles.push(error) })
  const far = Promise.withResolvers<ScriptedPeer>()
  const listener = await createTcpTransport().listen(
    { transport: 'tcp', host: '127.0.0.1', port: 0 },
    (wire) => {
      wire.onData = (head) => {
        if (unwrap.detect(head) !== 'yes') return
        wire.unread(head)
        unwrap.unwrap(wire, (inner) => far.resolve(scriptedPeer(inner)))
      }
    },
  )
  const { port } = listener.address as { port: number }
  const dialled = createTlsTransport(client).dial(
    { transport: 'tls', host, port },
    new AbortController().signal,
    { alpn: ['farcall'] },
  )
  const near = await dialled.then(scriptedPeer, (error: RpcError) => error)
  return { near, far: far.promise, troubles, [Symbol.asyncDispose]: () => listener.close() }
}

async function refusal(server: TlsServerOptions, client: TlsClientOptions, host?: string): Promise<RpcError> {
  await using met = await meet(server, client, host)
  assert.ok(RpcError.is(met.near), 'the dial should have failed')
  assert.equal(met.near.code, 'unavailable')
  assert.equal(met.near.phase, 'negotiate')
  assert.ok(isNotExecuted(met.near))
  return met.near
}

test('a certificate that is not trusted, expired, or for another name is refused by its cause', async () => {
  assert.match((await refusal(await pair('stranger'), { ca })).message, /not signed by anyone who is trusted/)
  assert.match((await refusal(await pair('server'), {})).message, /not signed by anyone who is trusted/)
  assert.match((await refusal(await pair('expired'), { ca })).message, /has expired/)
  assert.match(
    (await refusal(await pair('elsewhere'), { ca })).message,
    /is for elsewhere\.test, not for localhost/,
  )
  assert.match((await refusal(await pair('elsewhere'), { ca }, '127.0.0.1')).message, /not for 127\.0\.0\.1/)
})

test('a servername given by hand is the one that counts', async () => {
  await using met = await meet(await pair('elsewhere'), { ca, servername: 'elsewhere.test' })
  assert.ok('wire' in met.near)
  met.near.wire.close()
})

test('what is dangerously insecure takes any certificate', async () => {
  await using met = await meet(await pair('expired'), { dangerouslyInsecure: true })
  assert.ok('wire' in met.near)
  assert.equal(met.near.wire.peer.tls?.authorized, false)
  met.near.wire.close()
})

test('a client certificate that is shown and trusted tells who it is', async () => {
  const server = { ...(await pair('server')), ca, requestClientCert: 'required' } as const
  await using met = await meet(server, { ca, ...(await pair('client')) })
  const { wire } = await met.far
  assert.deepEqual(wire.peer.tls, { authorized: true, subject: 'CN=test-client, O=Farcall', alpn: 'farcall' })
  assert.equal(wire.peer.transport, 'tls')
  wire.close()
})

test('where client certificates are optional, one without is not authorized', async () => {
  await using met = await meet({ ...(await pair('server')), ca, requestClientCert: 'optional' }, { ca })
  const { wire } = await met.far
  assert.deepEqual(wire.peer.tls, { authorized: false, subject: undefined, alpn: 'farcall' })
  wire.close()
})

test('a missing client certificate is named on both sides', async () => {
  // With TLS 1.3 the client has finished when the server finds out; it learns from the first thing it reads.
  await using met = await meet({ ...(await pair('server')), ca, requestClientCert: 'required' }, { ca })
  const error = RpcError.is(met.near) ? met.near : await met.near.closed
  assert.match(String(error?.message), /requires a client certificate; give cert and key/)
  assert.match(String(met.troubles[0]?.message), /showed no client certificate, and one is required/)
})

test('a client certificate that is not trusted is refused', async () => {
  const server = { ...(await pair('server')), ca, requestClientCert: 'required' } as const
  await using met = await meet(server, { ca, ...(await pair('stranger')) })
  if ('wire' in met.near) {
    await met.near.readToEnd()
    met.near.wire.close()
  }
  assert.match(String(met.troubles[0]?.message), /not signed by anyone who is trusted/)
})

test('a client certificate that is not asked for proves nothing', async () => {
  await using met = await meet({ ...(await pair('server')), ca }, { ca, ...(await pair('client')) })
  assert.equal((await met.far).wire.peer.tls?.authorized, false)
  ;(await met.far).wire.close()
})

test('both sides know the protocol that was negotiated; none in common is said', async () => {
  {
    await using met = await meet({ ...(await pair('server')), alpn: ['a', 'b'] }, { ca, alpn: ['c', 'b'] })
    assert.ok('wire' in met.near)
    assert.equal(met.near.wire.peer.tls?.alpn, 'b')
    assert.equal((await met.far).wire.peer.tls?.alpn, 'b')
    met.near.wire.close()
  }
  const error = await refusal({ ...(await pair('server')), alpn: ['a'] }, { ca, alpn: ['b'] })
  assert.match(error.message, /no protocol in common/)
})

test('a server that does not speak TLS is named as such', async () => {
  await using plain = await plainServer((socket) => socket.end('220 welcome to another protocol\r\n'))
  const dial = createTlsTransport({ ca }).dial(plain.address, new AbortController().signal)
  await assert.rejects(dial, /TLS with tls:\/\/127\.0\.0\.1:\d+ failed: it does not speak TLS there/)
})

test('a handshake that does not go on ends after its time, on either side', async () => {
  const clock = createVirtualClock()
  {
    const sockets: Socket[] = []
    const came = Promise.withResolvers<void>()
    await using silent = await plainServer((socket) => {
      sockets.push(socket)
      socket.once('data', () => came.resolve())
    })
    const dial = createTlsTransport({ ca, clock }).dial(silent.address, new AbortController().signal)
    const failed = assert.rejects(dial, /took longer than 10000 ms/)
    await came.promise
    await clock.advance(10_000)
    await failed
    for (const socket of sockets) socket.destroy()
  }
  const troubles: RpcError[] = []
  const unwrap = createTlsUnwrap({
    ...(await pair('server')),
    clock,
    report: (error) => troubles.push(error),
  })
  const unwrapping = Promise.withResolvers<void>()
  const tcp = createTcpTransport()
  const listener = await tcp.listen({ transport: 'tcp', host: '127.0.0.1', port: 0 }, (wire) => {
    wire.onData = (head) => {
      wire.unread(head)
      unwrap.unwrap(wire, () => assert.fail('there is no handshake'))
      unwrapping.resolve()
    }
  })
  const half = scriptedPeer(await tcp.dial(listener.address, new AbortController().signal))
  half.send(new Uint8Array([0x16, 0x03, 0x01, 0x02]))
  await unwrapping.promise
  await clock.advance(10_000)
  half.wire.end()
  await half.closed
  assert.match(String(troubles[0]?.message), /took longer than 10000 ms/)
  assert.equal(clock.backgroundTimers, 0)
  await listener.close()
})

test('garbage in the handshake closes that connection, and its wire says so once', async () => {
  const unwrap = createTlsUnwrap(await pair('server'))
  const closed = Promise.withResolvers<RpcError | undefined>()
  const tcp = createTcpTransport()
  const listener = await tcp.listen({ transport: 'tcp', host: '127.0.0.1', port: 0 }, (wire) => {
    wire.onData = (head) => {
      wire.unread(head)
      unwrap.unwrap(wire, () => assert.fail('there is no handshake'))
    }
    wire.onClose = closed.resolve
  })
  const hostile = scriptedPeer(await tcp.dial(listener.address, new AbortController().signal))
  hostile.send(new Uint8Array(500).fill(0x16))
  assert.match(String((await closed.promise)?.message), /^TLS with 127\.0\.0\.1:\d+ failed/)
  hostile.wire.close()
  await listener.close()
})

test('certificates that cannot be used are refused where they are given', () => {
  assert.throws(
    () => createTlsUnwrap({ cert: 'server.cert.pem', key: 'server.key.pem' }),
    /cannot be used.*take PEM text/,
  )
})

test('detect tells TLS by its first two bytes', () => {
  const { detect } = createTlsUnwrap({ cert: certificate.cert, key: certificate.key })
  assert.equal(detect(new Uint8Array([])), 'more')
  assert.equal(detect(new Uint8Array([0x16])), 'more')
  assert.equal(detect(new Uint8Array([0x16, 0x03])), 'yes')
  assert.equal(detect(new Uint8Array([0x16, 0x04])), 'no')
  assert.equal(detect(new Uint8Array([0x00])), 'no')
})

const certificate = await pair('server')

async function plainServer(onSocket: (socket: Socket) => void) {
  const server = createServer(onSocket)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    address: { transport: 'tls', host: '127.0.0.1', port } as const,
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
}
