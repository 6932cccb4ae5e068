import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type RpcError, serve } from 'farcall'
import {
  all,
  begun,
  type CodecName,
  connectWith,
  failsWith,
  shown,
  type Test,
  test,
  upTo,
  values,
} from './support/peer-service.ts'
import { type Line, noPython, parseLines, runPeer, startPeer } from './support/python-peer.ts'

// The peer that was written from SPEC.md alone calls Farcall, and is called by it, as a process of its own.

const skip = noPython()

/** Calls the server at `target` from Python; gives what it printed after the preface. */
async function call(target: string, name: string, args: unknown[] | object, options: readonly string[] = []) {
  const { hostname, port } = new URL(target.replace('tcp:', 'http:'))
  const { code, lines } = await runPeer(['call', hostname, port, name, JSON.stringify(args), ...options])
  const told = lines.filter(({ type }) => type !== 'preface' && type !== 'called' && type !== 'method')
  return { code, told, lines, first: told[0] as Line, closed: told.at(-1)?.type === 'closed' }
}

for (const codec of ['msgpack', 'json'] as const) {
  const options = ['--codec', codec]

  describe(`a client in Python and a Farcall server (${codec})`, { skip }, () => {
    it('gets values and errors', async () => {
      await using server = await serve([test], { port: 0 })
      const target = server.targets[0] as string
      const added = await call(target, 'test.add', [1, 2], [...options, '--repeat', '3'])
      assert.deepEqual(
        added.told.map((l) => l['value'] ?? l.type),
        [3, 3, 3, 'closed'],
      )
      assert.equal(added.lines.filter(({ type }) => type === 'method').length, 1)
      assert.equal((await call(target, 'test.add', { b: 1, a: 2 }, options)).first['value'], 3)
      const sent = values.map(shown)
      assert.deepEqual((await call(target, 'test.echo', [sent], options)).first['value'], sent)
      const failed = await call(target, 'test.fail', [], options)
      assert.equal(failed.first['code'], 'failed_precondition')
      assert.deepEqual(failed.first['value'], { reason: 'purpose', details: { why: [1, 2] } })
      assert.equal((await call(target, 'test.nothing', [], options)).first['code'], 'not_found')
      assert.equal((await call(target, 'test.add', [1, 2, 3], options)).first['code'], 'invalid_argument')
      const seen = await call(target, 'test.seen', [], [...options, '--metadata', '{"tenant":"ü"}'])
      assert.deepEqual([seen.first['value'], seen.first['head']], [{ tenant: 'ü' }, { kind: 'head' }])
      assert.deepEqual(
        (await call(target, 'test.add', [1, 2], [...options, '--one-way'])).told.map((l) => l.type),
        ['closed'],
      )
    })

    it('streams both ways, in credit and in parts', async () => {
      await using server = await serve([test], { port: 0 })
      const target = server.targets[0] as string
      const counted = await call(target, 'test.count', [10_000], options)
      assert.deepEqual(
        counted.told.filter(({ type }) => type === 'item').map((l) => l['value']),
        [...Array(10_000).keys()],
      )
      assert.deepEqual(
        counted.told.slice(-2).map(({ type }) => type),
        ['end', 'closed'],
      )
      const total = await call(target, 'test.total', [null], [...options, '--send-count', '30000'])
      assert.equal(total.first['value'], 449_985_000)
      const doubled = await call(target, 'test.double', [null], [...options, '--send', '[1,2,3]'])
      assert.deepEqual(
        doubled.told.map((l) => l['value'] ?? l.type),
        ['head', 2, 4, 6, 'end', 'closed'],
      )
      const first = await call(
        target,
        'test.first',
        [null],
        [...options, '--send-count', '1000000', '--endless'],
      )
      assert.ok(first.told.some((l) => l.type === 'reply' && l['value'] === 0))
      const large = await call(target, 'test.large', [500_000, 3], options)
      assert.deepEqual(
        large.told.filter(({ type }) => type === 'item').map((l) => l['value'].length),
        Array(3).fill(500_001),
      )
      const text = 'é'.repeat(50_000)
      assert.equal((await call(target, 'test.echo', [text], options)).first['value'], text)
      const failed = await call(target, 'test.failAfter', [2], options)
      assert.deepEqual(
        failed.told.map(({ type }) => type),
        ['head', 'item', 'item', 'error', 'closed'],
      )
    })

    it('cancels, and meets its deadline', async () => {
      await using server = await serve([test], { port: 0 })
      const { hostname, port } = new URL((server.targets[0] as string).replace('tcp:', 'http:'))
      const left = await call(
        server.targets[0] as string,
        'test.count',
        [1_000_000],
        [...options, '--cancel-after', '5'],
      )
      assert.deepEqual(
        left.told.map(({ type }) => type),
        ['head', ...Array(5).fill('item'), 'cancelled', 'closed'],
      )
      const isRunning = begun('slow')
      await using peer = startPeer(['call', hostname, port, 'test.slow', ...options, '--cancel-after', '0'])
      await isRunning
      const wasCancelled = begun('slow cancelled')
      peer.child.stdin?.end('cancel\n')
      await wasCancelled
      await peer.line(/closed/)
      const late = await call(server.targets[0] as string, 'test.slow', [], [...options, '--timeout', '50'])
      assert.equal(late.first['code'], 'deadline_exceeded')
    })
  })

  describe(`a Farcall client and a server in Python (${codec})`, { skip }, () => {
    it('values, errors, metadata, one-way', async () => {
      await using peer = await pythonServer(codec)
      const { t } = peer
      assert.equal(await t.add(1, 2), 3)
      assert.equal(await t.add(3, 4), 7)
      assert.equal(await t.$named.add({ a: 5, b: 6 }), 11)
      for (const value of values) assert.deepEqual(shown(await t.echo(value)), shown(value))
      await assert.rejects(t.fail(), (error: RpcError) => {
        assert.deepEqual(
          [error.code, error.message, error.reason],
          ['failed_precondition', 'on purpose', 'purpose'],
        )
        assert.deepEqual(error.details, { why: [1, 2] })
        return true
      })
      const seen = await t.$with({ metadata: { tenant: 'a' }, timeoutMs: 5_000 }).seen()
      assert.deepEqual([seen['tenant'], seen['attempt']], ['a', 1])
      await t.$send.add(1, 1)
      await t.add(1, 1)
      const lines = parseLines(peer.output)
      assert.equal(lines.filter((l) => l.type === 'call' && l['name'] === 'test.add').length, 5)
      assert.deepEqual(
        lines.filter(({ type }) => type === 'fault'),
        [],
      )
    })

    it('streams both ways, in credit and in parts', async () => {
      await using peer = await pythonServer(codec)
      const { t } = peer
      assert.deepEqual(await all(t.count(10_000)), [...Array(10_000).keys()])
      assert.equal(await t.total(upTo(10_000)), 49_995_000)
      assert.equal(await t.first(upTo(1_000_000)), 0)
      assert.deepEqual(await all(t.double(upTo(3))), [0, 2, 4])
      await assert.rejects(all(t.failAfter(3)), failsWith('aborted'))
      assert.deepEqual(
        (await all(t.large(1_000_000, 3))).map((text) => text.length),
        Array(3).fill(1_000_001),
      )
      const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(300_000))
      assert.deepEqual(await Promise.all(texts.map((text) => t.echo(text))), texts)
      // Ten streams that are left early: what each had under way must not be lost to the connection.
      for (let i = 0; i < 10; i++) for await (const n of t.count(100_000)) if (n === 100) break
      assert.equal((await all(t.count(10_000))).length, 10_000)
      assert.deepEqual(
        parseLines(peer.output).filter(({ type }) => type === 'fault'),
        [],
      )
    })

    it('cancelling, deadlines, pings, draining, the end', async () => {
      await using peer = await pythonServer(codec)
      const { t } = peer
      const abort = new AbortController()
      const slow = assert.rejects(t.$with({ signal: abort.signal }).slow(), failsWith('cancelled'))
      await peer.line(/"running"/)
      abort.abort()
      await slow
      await peer.line(/"over"/)
      await assert.rejects(t.$with({ timeoutMs: 50 }).slow(), failsWith('deadline_exceeded'))
      peer.child.stdin?.write('ping\n')
      await peer.line(/"pong", "body": "farcall\?"/)
      peer.child.stdin?.write('drain\n')
      await peer.line(/disconnected/)
      assert.equal(await t.add(1, 2), 3, 'on a new connection')
      await peer.client.close()
      await peer.line(/disconnected[^]*disconnected/)
      assert.deepEqual(
        parseLines(peer.output).filter(({ type }) => type === 'fault'),
        [],
      )
    })
  })
}

describe('calls right behind the preface, before the window of the server is known', { skip }, () => {
  it('a value', async () => {
    await using server = await serve([test], { port: 0 })
    const { first } = await call(server.targets[0] as string, 'test.add', [1, 2], ['--eager'])
    assert.equal(first['value'], 3)
  })

  const todo = 'credit comes only at half of a window that the client does not know'
  it('a stream argument of more than the least window', { todo }, async () => {
    await using server = await serve([test], { port: 0 })
    const options = ['--eager', '--send-count', '20000', '--timeout', '2000']
    const { first } = await call(server.targets[0] as string, 'test.total', [null], options)
    assert.equal(first['value'], 199_990_000)
  })
})

describe('what two sides cannot agree on', { skip }, () => {
  it('a version that Farcall does not speak', async () => {
    await using server = await serve([test], { port: 0 })
    const { code, lines } = await call(server.targets[0] as string, 'test.add', [1, 2], ['--versions', '[2]'])
    assert.equal(code, 1)
    const preface = lines.find(({ type }) => type === 'preface')
    assert.equal(preface?.['fields'].refused.code, 'unimplemented')
    assert.deepEqual([preface?.['fields'].versions, preface?.['fields'].codecs], [[1], ['msgpack', 'json']])
    assert.ok(lines.some(({ type }) => type === 'close'))
  })

  it('a codec that the server does not speak', async () => {
    await using peer = await pythonServer('json', ['--codec', 'msgpack'])
    await assert.rejects(peer.t.add(1, 2), failsWith('unimplemented'))
  })
})

async function pythonServer(codec: CodecName, args: readonly string[] = []) {
  const peer = startPeer(['serve', ...args])
  const port = (await peer.line(/"port": (\d+)/))[1]
  const client = connectWith(codec, `tcp://127.0.0.1:${port}`)
  return {
    client,
    child: peer.child,
    line: peer.line,
    t: client.service<Test>('test'),
    get output() {
      return peer.output
    },
    async [Symbol.asyncDispose]() {
      await client.close()
      await peer[Symbol.asyncDispose]()
    },
  }
}
