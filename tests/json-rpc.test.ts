// Go's own net/rpc/jsonrpc, as real processes: its client calls our server, we call its server.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { RpcError, service } from 'farcall'
import { buildGoPeer, noGo } from './support/go-peer.ts'
import { farcall, hostAndPort } from './support/older-systems.ts'
import { start } from './support/process.ts'
import { parseLines } from './support/python-peer.ts'

const skip = noGo()
let go: ReturnType<typeof buildGoPeer>
if (skip === false) {
  before(() => {
    go = buildGoPeer('jsonrpc')
  })
  after(() => go[Symbol.dispose]())
}

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
    await using client = start(go.program, ['client', `${host}:${port}`])
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
    const server = start(go.program, ['server', '127.0.0.1:0'])
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
