// Go's own net/rpc/jsonrpc, as real processes: its client calls our server, we call its server.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { before, describe, it } from 'node:test'
import { RpcError, service } from 'farcall'
import { buildGo, noGo } from './support/go-peer.ts'
import { farcall, hostAndPort } from './support/older-systems.ts'
import { start } from './support/process.ts'
import { parseLines } from './support/python-peer.ts'

const skip = noGo()
let program = ''
before(() => {
  if (skip === false) program = buildGo('jsonrpc')
})

interface Everything {
  Text: string
  Bytes: string | null
  Big: number | bigint
  Wait: number
  Counts: Record<string, number> | null
  Next: Everything | null
}

const arith = service('Arith', {
  // Go's struct as one object, and spread over parameters of the same names.
  Multiply: ({ A, B }: { A: number; B: number }) => A * B,
  Divide(A: number, B: number) {
    if (B === 0) throw new RpcError('invalid_argument', 'divide by zero')
    return { Quo: Math.trunc(A / B), Rem: A % B }
  },
  async Sleep(ms: number) {
    await new Promise((resolve) => setTimeout(resolve, ms))
    return ms
  },
  Echo: (value: Everything) => value,
})

describe("Go's client calls us", { skip }, () => {
  it('ten at once, large, with every type, and sees errors', async () => {
    await using server = await farcall.serve([arith], { port: 0 })
    const { host, port } = hostAndPort(server.targets[0])
    await using client = start(program, ['client', `${host}:${port}`])
    await once(client.child, 'close')
    const results = new Map(
      parseLines(client.output).map(({ name, value, error }) => [name, { value, error }]),
    )
    const value = (name: string) => results.get(name)?.value as unknown
    const error = (name: string) => results.get(name)?.error as unknown
    assert.equal(value('multiply'), 56)
    assert.deepEqual(value('divide'), { Quo: 3, Rem: 2 })
    assert.equal(error('divide by zero'), 'divide by zero')
    assert.match(String(error('no such method')), /has no method 'Nope'/)
    assert.match(String(error('no such service')), /unknown service 'Nope'/)
    assert.match(client.output, /"name":"echo".*"Big":18446744073709551615/)
    const echoed = value('echo') as Everything
    assert.equal(echoed.Text, 'ä€😀 "quoted"\n')
    assert.equal(echoed.Bytes, 'AAH+/w==')
    assert.equal(echoed.Wait, 1_500_000_000)
    assert.equal(echoed.Next?.Next?.Next, null)
    assert.deepEqual(Object.keys(echoed.Counts ?? {}), ['__proto__', 'a'])
    assert.equal(value('large'), true)
    assert.deepEqual(value('ten at once'), [300, 280, 260, 240, 220, 200, 180, 160, 140, 120])
    assert.equal(value('ten at once were quick'), true)
    assert.equal(error('close'), undefined)
    assert.equal(server.stats().connections.accepted, 1)
  })
})

interface Arith {
  Multiply(args: { A: number; B: number }): number
  Divide(args: { A: number; B: number }): { Quo: number; Rem: number }
  Sleep(ms: number): number
  Echo(value: Partial<Everything>): Everything
  Nope(value: object): void
}

describe("we call Go's server", { skip }, () => {
  const startServer = async () => {
    const server = start(program, ['server', '127.0.0.1:0'])
    const [, port] = await server.line(/listening on \S+:(\d+)/)
    return { server, target: `json-rpc-1+tcp://127.0.0.1:${port}` }
  }

  it('ten at once on one connection, large, with every type, and see errors', async () => {
    const { server: process, target } = await startServer()
    await using _ = process
    await using client = farcall.connect(target)
    const remote = client.service<Arith>('Arith')
    assert.equal(await remote.Multiply({ A: 7, B: 8 }), 56)
    assert.equal(await remote.$named.Multiply({ A: 7, B: 8 }), 56)
    assert.deepEqual(await remote.Divide({ A: 17, B: 5 }), { Quo: 3, Rem: 2 })
    await assert.rejects(async () => remote.Divide({ A: 1, B: 0 }), {
      code: 'unknown',
      message: 'divide by zero',
    })
    await assert.rejects(async () => remote.Nope({}), { code: 'not_found', message: /can't find method/ })
    const nobody = client.service<Arith>('Nobody')
    await assert.rejects(async () => nobody.Nope({}), { code: 'not_found', message: /can't find service/ })
    const sent = { Text: 'ä€😀\u2028', Bytes: 'AAH+/w==', Big: 2n ** 64n - 1n, Counts: { a: 1 } }
    const back = await remote.Echo(sent)
    assert.deepEqual(
      { ...back, Wait: undefined, Next: undefined },
      { ...sent, Wait: undefined, Next: undefined },
    )
    const Text = 'x'.repeat(100_000)
    assert.equal((await remote.Echo({ Text })).Text, Text)
    const begin = performance.now()
    const slow = await Promise.all(Array.from({ length: 10 }, (_value, i) => remote.Sleep(300 - 20 * i)))
    assert.deepEqual(
      slow,
      Array.from({ length: 10 }, (_value, i) => 300 - 20 * i),
    )
    assert.ok(performance.now() - begin < 2000)
  })

  it('by position, where a contract knows the names', async () => {
    const { server: process, target } = await startServer()
    await using _ = process
    await using client = farcall.connect(target)
    interface Positional {
      Multiply(a: number, b: number): number
    }
    const contract = { Multiply: { params: ['A', 'B'] } }
    assert.equal(await client.service<Positional>('Arith', { contract }).Multiply(6, 7), 42)
    await assert.rejects(async () => client.service<Positional>('Other').Multiply(6, 7), {
      code: 'invalid_argument',
      message: /JSON-RPC 1.0 sends one argument/,
    })
  })

  it('and fail at once when it is killed', async () => {
    const { server: process, target } = await startServer()
    await using _ = process
    await using client = farcall.connect(target, { retry: false })
    const remote = client.service<Arith>('Arith')
    const lost = assert.rejects(async () => remote.Sleep(60_000), { code: 'unavailable' })
    assert.equal(await remote.Multiply({ A: 1, B: 2 }), 2)
    await process.stop('SIGKILL')
    await lost
  })
})

describe('peers that mean harm', () => {
  // What each sends to a server; `pieces` of it, one after the other.
  const attacks: [name: string, pieces: readonly string[]][] = [
    [
      '10 MiB',
      ['{"method":"Arith.Echo","params":["', ...Array.from({ length: 160 }, () => 'x'.repeat(65_536)), '"]}'],
    ],
    [
      'a million levels',
      [`{"method":"Arith.Echo","params":${'['.repeat(1_000_000)}`, ']'.repeat(1_000_000), '}'],
    ],
    ['no end', ['{"method_name":"add","x":"', ...Array.from({ length: 400 }, () => 'x'.repeat(65_536))]],
    ['half a head', ['{"meth']],
    ['garbage behind', ['{"method_name":"Echo","method_args":[1]}!!!!']],
    [
      'requests without end',
      Array.from({ length: 200 }, () =>
        '{"method":"Arith.Echo","params":["'.concat('y'.repeat(9000), '"],"id":1}'),
      ),
    ],
    [
      'prototypes',
      ['{"method":"__proto__.constructor","params":{"__proto__":{}},"id":"__proto__"}'.repeat(500)],
    ],
  ]

  it('do not make others wait, nor leave anything behind', async () => {
    await using server = await farcall.serve([arith], { port: 0 })
    const { port } = hostAndPort(server.targets[0])
    await using client = farcall.connect(`json-rpc+${server.targets[0]}`)
    const remote = client.service<typeof arith>('Arith')
    await remote.Divide(1, 1)
    const sockets = attacks.flatMap(([, pieces]) => [
      attack(Number(port), pieces),
      attack(Number(port), pieces),
    ])
    let slowest = 0
    for (let i = 0; i < 100; i++) {
      const begin = performance.now()
      assert.deepEqual(await remote.Divide(17, 5), { Quo: 3, Rem: 2 })
      slowest = Math.max(slowest, performance.now() - begin)
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (const socket of sockets) socket.destroy()
    assert.ok(slowest < 1000, `a call took ${Math.round(slowest)} ms`)
    assert.deepEqual(await remote.Divide(1, 1), { Quo: 1, Rem: 0 })
  })
})

// It never reads, and does not care how it ends.
function attack(port: number, pieces: readonly string[]): Socket {
  const socket = connectSocket({ host: '127.0.0.1', port })
  socket.on('error', () => {}).pause()
  for (const piece of pieces) socket.write(piece)
  return socket
}

describe('we call ourselves over json-rpc', () => {
  it('2.0: by position and by name, errors with their codes', async () => {
    await using server = await farcall.serve([arith], { port: 0 })
    await using client = farcall.connect(`json-rpc+${server.targets[0]}`)
    const remote = client.service<typeof arith>('Arith')
    assert.deepEqual(await remote.Divide(17, 5), { Quo: 3, Rem: 2 })
    assert.deepEqual(await remote.$named.Divide({ A: 17, B: 5 }), { Quo: 3, Rem: 2 })
    await assert.rejects(async () => remote.Divide(1, 0), { code: 'invalid_argument' })
  })
})
