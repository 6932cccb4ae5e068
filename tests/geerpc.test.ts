import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { RpcError } from 'farcall'
import { createGeerpcProtocol, type GeerpcOptions } from '../src/protocols/geerpc/index.ts'
import { buildGo, eventually, noGo, startGoClient, startGoServer } from './support/go-peer.ts'
import { farcallWith, foo, fooContract, type FooClient, renamedArgs } from './support/go-service.ts'

// A peer written from the documents of geerpc and MyRPC, as a process of its own, in both directions.

const skip = noGo()
const program = skip === false ? buildGo('geerpc') : ''
const server = farcallWith(createGeerpcProtocol())

interface RenamedFoo {
  Sum(...args: [first: number, second: number] | [{ first: number; second: number }]): number
}

/** A client of ours for a server in Go. */
function clientOf(address: string, options: GeerpcOptions = {}) {
  const protocol = createGeerpcProtocol(options)
  return farcallWith(protocol).connect(`${protocol.name}+${address}`)
}

const hostPort = (target: string | undefined) => String(target).replace(/^tcp:\/\//, '')
const failure = (promise: PromiseLike<unknown>) =>
  promise.then(
    () => assert.fail('it should have failed'),
    (error: RpcError) => error,
  )

for (const codec of ['gob', 'json']) {
  const type = `application/${codec}`

  describe(`a geerpc client in Go and a Farcall server (${codec})`, { skip }, () => {
    it('calls, each answered with a value or the error of the documents', async () => {
      await using running = await server.serve([foo], { port: 0 })
      await using go = startGoClient(program, ['client', `tcp@${hostPort(running.targets[0])}`, type, '0'])
      assert.equal((await go.call('Foo.Sum', { Num1: 3, Num2: 4 })).reply, 7)
      assert.equal((await go.call('Foo.Upper', 'übung')).reply, 'ÜBUNG')
      assert.equal((await go.call('Foo.Half', 7)).reply, 3.5)
      const error = async (method: string, args: unknown = { Num1: 1, Num2: 2 }) =>
        (await go.call(method, args)).error
      assert.equal(await error('Foo.Fail'), 'fails on purpose: 100% of the time')
      assert.match(await error('Foo.Crash'), /^internal error \(id [0-9a-z]+\)$/)
      assert.equal(await error('Bar.Sum'), "rpc server: can't find service Bar")
      assert.equal(await error('Foo.Missing'), "rpc server: can't find method Missing")
      assert.equal(await error('Sum'), 'rpc server: service/method request ill-formed: Sum')
      assert.equal(await error('Foo.__proto__'), "rpc server: can't find method __proto__")
      assert.equal(await error('__proto__.Sum'), "rpc server: can't find service __proto__")
      // After all of these the connection goes on.
      assert.equal((await go.call('Foo.Sum', { Num1: 3, Num2: 0 })).reply, 3)
    })

    it('knows the fields of its struct by its names, and the methods by theirs', async () => {
      await using running = await server.serve([foo], { port: 0 })
      await using go = startGoClient(program, ['client', `tcp@${hostPort(running.targets[0])}`, type, '0'])
      assert.equal((await go.call('Foo.Minus', { Num1: 0, Num2: 4 })).reply, -4)
      assert.equal((await go.call('Foo.Times', { Num1: 3, Num2: 4 })).reply, 12)
    })

    it('sends structs in structs, and more than 64 KiB', async () => {
      await using running = await server.serve([foo], { port: 0 })
      await using go = startGoClient(program, ['client', `tcp@${hostPort(running.targets[0])}`, type, '0'])
      assert.equal((await go.call('Foo.Upper', 'abcdefgh', { repeat: 20_000 })).reply, 160_000)
      const item = { Name: 'n', Tags: ['a', ''], Size: { k: -1 }, Raw: 'AP8=', Big: 2 ** 52 + 1, Next: null }
      const { reply } = await go.call('Foo.Wrap', item)
      const { Name, Next } = reply as { Name: string; Next: Record<string, unknown> }
      assert.equal(Name, 'around n')
      assert.deepEqual(Next, item)
    })

    it('makes 10 slow calls at once, answered as they are done', async () => {
      await using running = await server.serve([foo], { port: 0 })
      await using go = startGoClient(program, ['client', `tcp@${hostPort(running.targets[0])}`, type, '0'])
      const order: number[] = []
      const begun = performance.now()
      const calls = Array.from({ length: 10 }, async (_, i) => {
        const { reply } = await go.call('Foo.Nap', { Num1: 400 - i * 20, Num2: i })
        order.push(i)
        return reply
      })
      const replies = await Promise.all(calls)
      assert.deepEqual(
        replies,
        Array.from({ length: 10 }, (_, i) => 400 - i * 19),
      )
      assert.deepEqual(order.at(-1), 0, 'the slowest comes last, though it was asked first')
      assert.ok(performance.now() - begun < 2000)
    })

    it('is told when a call takes longer than its HandleTimeout', async () => {
      await using running = await server.serve([foo], { port: 0 })
      const target = `tcp@${hostPort(running.targets[0])}`
      await using go = startGoClient(program, ['client', target, type, '300'])
      assert.equal(
        (await go.call('Foo.Nap', { Num1: 5000, Num2: 0 })).error,
        'rpc server: request handle timeout: expect within 300ms',
      )
      assert.equal((await go.call('Foo.Nap', { Num1: 1, Num2: 1 })).reply, 2)
    })
  })

  describe(`a Farcall client and a geerpc server in Go (${codec})`, { skip }, () => {
    it('calls at once, and its first calls are not lost with the option', async () => {
      await using go = await startGoServer(program)
      for (let i = 0; i < 20; i++) {
        await using client = clientOf(`tcp://${go.address}`, { codec })
        const Foo = client.service<FooClient>('Foo', { contract: fooContract })
        assert.equal(await Foo.Sum({ Num1: i, Num2: 1 }), i + 1)
      }
    })

    it('gets values and errors', async () => {
      await using go = await startGoServer(program)
      await using client = clientOf(`tcp://${go.address}`, { codec })
      const Foo = client.service<FooClient>('Foo', { contract: fooContract })
      assert.equal(await Foo.Sum(3, 4), 7, 'declared names make one object of several arguments')
      assert.equal(await Foo.Upper('übung'), 'ÜBUNG')
      assert.equal(await Foo.Half(7), 3.5)
      assert.equal(await Foo.Half(4), 2)
      assert.equal((await Foo.Upper('abcdefgh'.repeat(20_000))).length, 160_000)
      const wrapped = await Foo.Wrap({ Name: 'n', Tags: ['a'] })
      assert.equal(wrapped.Name, 'around n')
      const failed = await failure(Foo.Fail({ Num1: 1, Num2: 2 }))
      assert.deepEqual([failed.code, failed.message], ['unknown', 'fails on purpose: 100% of the time'])
      const missing = await failure(Foo.Missing({ Num1: 1, Num2: 2 }))
      assert.deepEqual(
        [missing.code, missing.message],
        ['not_found', "rpc server: can't find method Missing"],
      )
      // That server has closed the connection, as those of the documents do; the next call makes another.
      assert.equal(await Foo.Sum(1, 1), 2)
    })

    it('has names of its own for the fields of a struct in Go', async () => {
      await using go = await startGoServer(program)
      await using client = clientOf(`tcp://${go.address}`, { codec })
      const contract = { Sum: { types: renamedArgs, params: ['first', 'second'] } }
      const Foo = client.service<RenamedFoo>('Foo', { contract })
      assert.equal(await Foo.Sum({ first: 3, second: 4 }), 7)
      assert.equal(await Foo.Sum(3, 0), 3)
    })

    it('makes 10 slow calls at once on one connection; one given up does not disturb the others', async () => {
      await using go = await startGoServer(program)
      await using client = clientOf(`tcp://${go.address}`, { codec })
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

    it('is told by the server that its handleTimeoutMs has passed', async () => {
      await using go = await startGoServer(program)
      await using client = clientOf(`tcp://${go.address}`, { codec, handleTimeoutMs: 300 })
      const error = await failure(client.service<FooClient>('Foo').Nap({ Num1: 3000, Num2: 0 }))
      assert.equal(error.code, 'deadline_exceeded')
      assert.equal(error.message, 'rpc server: request handle timeout: expect within 300ms')
    })

    it('fails what is under way when the server is killed, and calls the next one', async () => {
      const go = await startGoServer(program)
      await using client = clientOf(`tcp://${go.address}`, { codec })
      const Foo = client.service<FooClient>('Foo', { contract: fooContract })
      assert.equal(await Foo.Sum(1, 2), 3)
      const lost = failure(Foo.Nap({ Num1: 5000, Num2: 0 }))
      // Answered, so the one before it has been sent.
      await Foo.Sum(1, 2)
      await go.stop('SIGKILL')
      assert.equal((await lost).code, 'unavailable')
      await using _next = await startGoServer(program, { address: go.address })
      await eventually(async () => assert.equal(await Foo.Sum(2, 2), 4))
    })
  })
}

describe('geerpc over HTTP CONNECT and unix sockets', { skip }, () => {
  it('a client in Go connects on the paths of both documents', async () => {
    await using running = await server.serve([foo], { port: 0 })
    for (const scheme of ['http', 'myrpc']) {
      const target = `${scheme}@${hostPort(running.targets[0])}`
      await using go = startGoClient(program, ['client', target, 'application/gob', '0'])
      assert.equal((await go.call('Foo.Sum', { Num1: 3, Num2: 4 })).reply, 7)
    }
  })

  it('a Farcall client connects to a server in Go, and is told of a wrong path', async () => {
    await using go = await startGoServer(program, { http: true })
    for (const http of [true, '/_myrpc_']) {
      await using client = clientOf(`tcp://${go.address}`, { http })
      assert.equal(await client.service<FooClient>('Foo', { contract: fooContract }).Sum(3, 4), 7)
    }
    await using client = clientOf(`tcp://${go.address}`, { http: '/elsewhere' })
    const error = await failure(client.service<FooClient>('Foo').Sum({ Num1: 1, Num2: 1 }))
    assert.match(error.message, /answered CONNECT \/elsewhere with "HTTP\/1\.0 404 Not Found"/)
  })

  it('both ways over a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'geerpc-'))
    try {
      await using _go = await startGoServer(program, { network: 'unix', address: join(folder, 'go') })
      await using client = clientOf(`unix:${join(folder, 'go')}`)
      assert.equal(await client.service<FooClient>('Foo', { contract: fooContract }).Sum(3, 4), 7)
      await using _running = await server.serve([foo], { listen: [`unix:${join(folder, 'ts')}`] })
      await using go = startGoClient(program, [
        'client',
        `unix@${join(folder, 'ts')}`,
        'application/gob',
        '0',
      ])
      assert.equal((await go.call('Foo.Sum', { Num1: 3, Num2: 4 })).reply, 7)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('geerpc with many clients', { skip }, () => {
  it('ten at once, each on its own connection, none waiting for another', async () => {
    await using running = await server.serve([foo], { port: 0 })
    const target = `tcp@${hostPort(running.targets[0])}`
    const clients = Array.from({ length: 10 }, (_, i) =>
      startGoClient(program, ['client', target, i % 2 === 0 ? 'application/gob' : 'application/json', '0']),
    )
    try {
      const outcomes = await Promise.all(clients.map((go, i) => go.call('Foo.Nap', { Num1: 300, Num2: i })))
      assert.deepEqual(
        outcomes.map(({ reply }) => reply),
        outcomes.map((_, i) => 300 + i),
      )
      for (const { ms } of outcomes) assert.ok(ms < 1500, `${ms} ms`)
    } finally {
      for (const go of clients) await go[Symbol.asyncDispose]()
    }
  })

  it('they do not notice one that sends garbage, nor one that begins a header and falls silent', async () => {
    await using running = await server.serve([foo], { port: 0 })
    const address = hostPort(running.targets[0])
    const [host, port] = address.split(':')
    const socket = connectSocket(Number(port), host)
    socket.on('error', () => {})
    socket.write('{"MagicNumber":3927900,"CodecType":"application/gob"}\n\x37\x7f\x03')
    const wrong = connectSocket(Number(port), host)
    wrong.on('error', () => {})
    const ended = new Promise((resolve) => wrong.on('close', resolve))
    wrong.resume().write('{"MagicNumber":1,"CodecType":"application/gob"}\n')
    await ended
    await using go = startGoClient(program, ['client', `tcp@${address}`, 'application/gob', '0'])
    assert.equal((await go.call('Foo.Sum', { Num1: 3, Num2: 4 })).reply, 7)
    socket.destroy()
  })

  it('the fixtures are what Go writes', () => {
    const kept = fileURLToPath(new URL('../src/protocols/geerpc/fixtures', import.meta.url))
    const made = mkdtempSync(join(tmpdir(), 'geerpc-'))
    try {
      spawnSync(program, ['fixtures', made])
      const files = readdirSync(kept).filter((file) => file.endsWith('.bin'))
      assert.deepEqual(readdirSync(made), files)
      for (const file of files) {
        const [shorter, longer] = [readFileSync(join(made, file)), readFileSync(join(kept, file))].toSorted(
          (a, b) => a.length - b.length,
        ) as [Buffer, Buffer]
        // A server that has lost its place refuses what it then reads; whether that still arrives before it closes is
        // a matter of chance.
        if (file.endsWith('.server.bin')) assert.deepEqual(shorter, longer.subarray(0, shorter.length), file)
        else assert.deepEqual(shorter, longer, file)
        assert.ok(
          longer.length - shorter.length < 200,
          `${file}: ${shorter.length} and ${longer.length} bytes`,
        )
      }
    } finally {
      rmSync(made, { recursive: true })
    }
  })
})
