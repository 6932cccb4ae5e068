import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { RpcError } from 'farcall'
import { createNetRpcProtocol } from '../src/protocols/net-rpc/index.ts'
import { buildGo, eventually, noGo, startGoClient, startGoServer } from './support/go-peer.ts'
import { farcallWith, foo, fooContract, type FooClient } from './support/go-service.ts'

// Go's own net/rpc, as a process of its own, in both directions.

const skip = noGo()
const program = skip === false ? buildGo('netrpc') : ''
const plain = farcallWith(createNetRpcProtocol())
const overHttp = farcallWith(createNetRpcProtocol({ http: true }))

const hostPort = (target: string | undefined) => String(target).replace(/^tcp:\/\//, '')
const failure = (promise: PromiseLike<unknown>) =>
  promise.then(
    () => assert.fail('it should have failed'),
    (error: RpcError) => error,
  )

describe('a client of Go net/rpc and a Farcall server', { skip }, () => {
  for (const scheme of ['tcp', 'http']) {
    it(`calls over ${scheme}, each answered with a value or Go's own error`, async () => {
      await using running = await plain.serve([foo], { port: 0 })
      await using go = startGoClient(program, ['client', `${scheme}@${hostPort(running.targets[0])}`])
      assert.equal((await go.call('Foo.Sum', { Num1: 3, Num2: 4 })).reply, 7)
      assert.equal((await go.call('Foo.Upper', 'übung')).reply, 'ÜBUNG')
      assert.equal((await go.call('Foo.Half', 7)).reply, 3.5)
      assert.equal((await go.call('Foo.Upper', 'abcdefgh', { repeat: 20_000 })).reply, 160_000)
      const error = async (method: string, args: unknown = { Num1: 1, Num2: 2 }) =>
        (await go.call(method, args)).error
      assert.equal(await error('Foo.Fail'), 'fails on purpose: 100% of the time')
      assert.match(await error('Foo.Crash'), /^internal error \(id [0-9a-z]+\)$/)
      assert.equal(await error('Bar.Sum'), "rpc: can't find service Bar.Sum")
      assert.equal(await error('Foo.Missing'), "rpc: can't find method Foo.Missing")
      assert.equal(await error('Sum'), 'rpc: service/method request ill-formed: Sum')
      assert.equal(await error('Foo.__proto__'), "rpc: can't find method Foo.__proto__")
      assert.equal((await go.call('Foo.Sum', { Num1: 0, Num2: 3 })).reply, 3)
    })
  }

  it('sends structs in structs', async () => {
    await using running = await plain.serve([foo], { port: 0 })
    await using go = startGoClient(program, ['client', `tcp@${hostPort(running.targets[0])}`])
    const item = { Name: 'n', Tags: ['a', ''], Size: { k: -1 }, Raw: 'AP8=', Big: 2 ** 52 + 1, Next: null }
    const { reply } = await go.call('Foo.Wrap', item)
    assert.deepEqual((reply as { Next: unknown }).Next, item)
  })

  it('makes 10 slow calls at once, answered as they are done', async () => {
    await using running = await plain.serve([foo], { port: 0 })
    await using go = startGoClient(program, ['client', `tcp@${hostPort(running.targets[0])}`])
    const order: number[] = []
    const calls = Array.from({ length: 10 }, async (_, i) => {
      const { reply, ms } = await go.call('Foo.Nap', { Num1: 400 - i * 20, Num2: i })
      assert.ok(ms < 1500, `${ms} ms`)
      order.push(i)
      return reply
    })
    assert.deepEqual(
      await Promise.all(calls),
      Array.from({ length: 10 }, (_, i) => 400 - i * 19),
    )
    assert.equal(order.at(-1), 0)
  })

  it('ten clients at once, each on its own connection, none waiting for another', async () => {
    await using running = await plain.serve([foo], { port: 0 })
    const target = `tcp@${hostPort(running.targets[0])}`
    const clients = Array.from({ length: 10 }, () => startGoClient(program, ['client', target]))
    try {
      const outcomes = await Promise.all(clients.map((go, i) => go.call('Foo.Nap', { Num1: 300, Num2: i })))
      for (const [i, { reply, ms }] of outcomes.entries()) {
        assert.equal(reply, 300 + i)
        assert.ok(ms < 1500, `${ms} ms`)
      }
    } finally {
      for (const go of clients) await go[Symbol.asyncDispose]()
    }
  })
})

describe('a Farcall client and a server of Go net/rpc', { skip }, () => {
  for (const http of [false, true]) {
    it(`gets values and errors${http ? ', over HTTP CONNECT' : ''}`, async () => {
      await using go = await startGoServer(program, { http })
      const target = `${http ? 'net-rpc-http' : 'net-rpc'}+tcp://${go.address}`
      await using client = (http ? overHttp : plain).connect(target)
      const Foo = client.service<FooClient>('Foo', { contract: fooContract })
      assert.equal(await Foo.Sum(3, 4), 7)
      assert.equal(await Foo.Upper('übung'), 'ÜBUNG')
      assert.equal(await Foo.Half(4), 2)
      assert.equal((await Foo.Upper('abcdefgh'.repeat(20_000))).length, 160_000)
      assert.equal((await Foo.Wrap({ Name: 'n', Tags: ['a'] })).Name, 'around n')
      const failed = await failure(Foo.Fail({ Num1: 1, Num2: 2 }))
      assert.deepEqual([failed.code, failed.message], ['unknown', 'fails on purpose: 100% of the time'])
      const missing = await failure(Foo.Missing({ Num1: 1, Num2: 2 }))
      assert.deepEqual([missing.code, missing.message], ['not_found', "rpc: can't find method Foo.Missing"])
      const nobody = await failure(client.service<FooClient>('Bar').Sum({ Num1: 1, Num2: 2 }))
      assert.deepEqual([nobody.code, nobody.message], ['not_found', "rpc: can't find service Bar.Sum"])
      // A number where a text is expected: the server says so, and goes on.
      assert.match((await failure(Foo.Upper(5 as never))).message, /^gob: /)
      assert.equal(await Foo.Sum(1, 1), 2)
    })
  }

  it('makes 10 slow calls at once; one given up does not disturb the others', async () => {
    await using go = await startGoServer(program)
    await using client = plain.connect(`net-rpc+tcp://${go.address}`)
    const Foo = client.service<FooClient>('Foo', { contract: fooContract })
    const begun = performance.now()
    const calls = Array.from({ length: 10 }, (_, i) => Foo.Nap({ Num1: 300, Num2: i }))
    const given = await failure(Foo.$with({ timeoutMs: 50 }).Nap({ Num1: 400, Num2: 0 }))
    assert.equal(given.code, 'deadline_exceeded')
    assert.deepEqual(
      await Promise.all(calls),
      Array.from({ length: 10 }, (_, i) => 300 + i),
    )
    assert.equal(await Foo.Nap({ Num1: 200, Num2: 1 }), 201)
    assert.ok(performance.now() - begun < 2500)
  })

  it('fails what is under way when the server is killed, and calls the next one', async () => {
    const go = await startGoServer(program)
    await using client = plain.connect(`net-rpc+tcp://${go.address}`)
    const Foo = client.service<FooClient>('Foo', { contract: fooContract })
    const lost = failure(Foo.Nap({ Num1: 5000, Num2: 0 }))
    // Answered, so the one before it has been sent.
    assert.equal(await Foo.Sum(1, 2), 3)
    await go.stop('SIGKILL')
    assert.equal((await lost).code, 'unavailable')
    await using _next = await startGoServer(program, { address: go.address })
    await eventually(async () => assert.equal(await Foo.Sum(2, 2), 4))
  })
})

describe('Go net/rpc besides', { skip }, () => {
  it('both ways over a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'netrpc-'))
    try {
      await using _go = await startGoServer(program, { network: 'unix', address: join(folder, 'go') })
      await using client = plain.connect(`net-rpc+unix:${join(folder, 'go')}`)
      assert.equal(await client.service<FooClient>('Foo', { contract: fooContract }).Sum(3, 4), 7)
      await using _running = await plain.serve([foo], { listen: [`unix:${join(folder, 'ts')}`] })
      await using go = startGoClient(program, ['client', `unix@${join(folder, 'ts')}`])
      assert.equal((await go.call('Foo.Sum', { Num1: 3, Num2: 4 })).reply, 7)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('the fixtures are what Go writes', () => {
    const kept = fileURLToPath(new URL('../src/protocols/net-rpc/fixtures', import.meta.url))
    const made = mkdtempSync(join(tmpdir(), 'net-rpc-'))
    try {
      spawnSync(program, ['fixtures', made])
      const files = readdirSync(kept).filter((file) => file.endsWith('.bin'))
      assert.deepEqual(readdirSync(made), files)
      for (const file of files)
        assert.deepEqual(readFileSync(join(made, file)), readFileSync(join(kept, file)), file)
    } finally {
      rmSync(made, { recursive: true })
    }
  })
})
