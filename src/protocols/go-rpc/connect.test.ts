import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { scriptedPeer } from '../../testing/scripted-peer.ts'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import { createMemoryTransport } from '../../transports/memory.ts'
import type { HttpRequest } from '../http-route.ts'
import { createConnectUnwrap, goConnectRoute } from './index.ts'

/** Connects to an unwrap; what it hands on is collected. */
async function connect(paths?: Record<string, string>) {
  const clock = createVirtualClock()
  const transport = createMemoryTransport()
  const inner: Uint8Array[] = []
  let handed = 0
  await transport.listen({ transport: 'memory', name: 's' }, (wire) => {
    createConnectUnwrap(paths).unwrap(wire, (again) => {
      handed++
      again.onData = (chunk) => inner.push(chunk.slice())
    })
  })
  const wire = await transport.dial({ transport: 'memory', name: 's' }, new AbortController().signal)
  const peer = scriptedPeer(wire)
  return {
    clock,
    peer,
    handed: () => handed,
    inner: () => Buffer.concat(inner).toString('latin1'),
    async answer() {
      await clock.settle()
      return new TextDecoder().decode(await peer.read(peer.received))
    },
  }
}

describe('CONNECT', () => {
  for (const [path, name] of [
    ['/_geeprc_', 'Gee RPC'],
    ['/_geerpc_', 'Gee RPC'],
    ['/_myrpc_', 'MyRPC'],
    ['/_goRPC_', 'Go RPC'],
  ]) {
    it(`to ${path} is answered in bare newlines, and what comes right behind it is kept`, async () => {
      const { peer, answer, inner } = await connect()
      peer.send(`CONNECT ${path} HTTP/1.0\n\n{"Magic`)
      peer.send('Number"')
      assert.equal(await answer(), `HTTP/1.0 200 Connected to ${name}\n\n`)
      assert.equal(inner(), '{"MagicNumber"')
    })
  }

  it('comes byte by byte, with fields and with carriage returns too', async () => {
    const { peer, answer, inner, clock } = await connect({ '/own': 'Own RPC' })
    for (const char of 'CONNECT /own HTTP/1.1\r\nHost: x\r\n\r\nabc') peer.send(char)
    assert.equal(await answer(), 'HTTP/1.0 200 Connected to Own RPC\n\n')
    await clock.settle()
    assert.equal(inner(), 'abc')
  })

  it('that is malformed is refused; one without an end is closed', async () => {
    const bad = await connect()
    bad.peer.send('CONNECT /_goRPC_ FTP\n\n')
    assert.match(await bad.answer(), /^HTTP\/1\.0 400 Bad Request/)
    const long = await connect()
    long.peer.send(`CONNECT /_goRPC_ HTTP/1.0\n${'a: b\n'.repeat(2000)}`)
    await long.peer.closed
    assert.deepEqual([bad.handed(), long.handed()], [0, 0])
  })

  it('takes only paths that can stand in a request', () => {
    assert.throws(() => createConnectUnwrap({ 'a b': 'X' }), /'a b' is no path to CONNECT to/)
  })

  it('by another method is answered by the route: 405', () => {
    const route = goConnectRoute()
    const ask = (path: string) => route({ path, method: 'GET' } as HttpRequest, () => undefined)
    assert.deepEqual(ask('/_goRPC_'), {
      status: 405,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: '405 must CONNECT\n',
    })
    assert.equal(ask('/other'), undefined)
    assert.equal(route.open, true)
  })
})
