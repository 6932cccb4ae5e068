import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { describe, it } from 'node:test'
import { connect, serve, service } from 'farcall'

const math = service('math', { add: (a: number, b: number) => a + b })

describe('connections that something else has opened', () => {
  it('a socket of a server of the user, whatever it speaks', async () => {
    await using server = await serve([math], { listen: 'memory:accepting' })
    const front = createServer((socket) => server.accept(socket)).listen(0, '127.0.0.1')
    await once(front, 'listening')
    const { port } = front.address() as AddressInfo
    {
      await using client = connect(`tcp://127.0.0.1:${port}`)
      assert.equal(await client.service<typeof math>('math').add(1, 2), 3)
    }
    const older: Socket = connectTcp(port, '127.0.0.1')
    older.write('{"method_name": "add", "method_args": [1, 2], "method_kwargs": {}}')
    const [answer] = await once(older, 'data')
    assert.equal(String(answer), '{"res": 3}')
    older.destroy()
    front.close()
    await once(front, 'close')
  })

  it('a stream that is no socket', async () => {
    await using server = await serve([math], { listen: 'memory:accepting' })
    const [ours, theirs] = duplexPair()
    server.accept(ours)
    theirs.write('{"method_name": "add", "method_args": [1, 2], "method_kwargs": {}}')
    const [answer] = await once(theirs, 'data')
    assert.equal(String(answer), '{"res": 3}')
    theirs.destroy()
  })

  it('what is no connection is refused', async () => {
    await using server = await serve([math], { listen: 'memory:accepting' })
    const odd = { write: () => true, destroy: () => {} }
    assert.throws(() => server.accept(odd), {
      code: 'invalid_argument',
      message: /accept takes a connection/,
    })
  })
})
