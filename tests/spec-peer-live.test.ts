import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { type RpcError, type Server, serve } from 'farcall'
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
import {
  type Line,
  noPython,
  type PeerShell,
  parseLines,
  startPeer,
  startShell,
} from './support/python-peer.ts'

// The peer that was written from SPEC.md alone calls Farcall, and is called by it, as a process of its own.

const skip = noPython()

let server: Server
let python: PythonServer
let shell: PeerShell

before(async () => {
  if (skip !== false) return
  shell = startShell()
  server = await serve([test], { port: 0 })
  python = await startPython()
})

after(async () => {
  await shell?.[Symbol.asyncDispose]()
  await python?.[Symbol.asyncDispose]()
  await server?.close()
})

/** Calls the Farcall server from Python; gives what it printed after the preface. */
async function call(
  name: string,
  args: unknown[] | object,
  options: readonly string[] = [],
  onLine?: (line: Line) => void,
) {
  const { hostname, port } = new URL((server.targets[0] as string).replace('tcp:', 'http:'))
  const { code, lines } = await shell.run(
    ['call', hostname, port, name, JSON.stringify(args), ...options],
    onLine,
  )
  const told = lines.filter(({ type }) => type !== 'preface' && type !== 'called' && type !== 'method')
  return { code, told, lines, first: told[0] as Line, closed: told.at(-1)?.type === 'closed' }
}

for (const codec of ['msgpack', 'json'] as const) {
  const options = ['--codec', codec]

  describe(`a client in Python and a Farcall server (${codec})`, { skip }, () => {
    it('gets values and errors', async () => {
      const added = await call('test.add', [1, 2], [...options, '--repeat', '3'])
      assert.deepEqual(
        added.told.map((l) => l['value'] ?? l.type),
        [3, 3, 3, 'closed'],
      )
      assert.equal(added.lines.filter(({ type }) => type === 'method').length, 1)
      assert.equal((await call('test.add', { b: 1, a: 2 }, options)).first['value'], 3)
      const sent = values.map(shown)
      assert.deepEqual((await call('test.echo', [sent], options)).first['value'], sent)
      const failed = await call('test.fail', [], options)
      assert.equal(failed.first['code'], 'failed_precondition')
      assert.deepEqual(failed.first['value'], { reason: 'purpose', details: { why: [1, 2] } })
      assert.equal((await call('test.nothing', [], options)).first['code'], 'not_found')
      assert.equal((await call('test.add', [1, 2, 3], options)).first['code'], 'invalid_argument')
      const seen = await call('test.seen', [], [...options, '--metadata', '{"tenant":"ü"}'])
      assert.deepEqual([seen.first['value'], seen.first['head']], [{ tenant: 'ü' }, { kind: 'head' }])
      assert.deepEqual(
        (await call('test.add', [1, 2], [...options, '--one-way'])).told.map((l) => l.type),
        ['closed'],
      )
    })

    it('streams both ways, in credit and in parts', async () => {
      const counted = await call('test.count', [8_000], options)
      assert.deepEqual(
        counted.told.filter(({ type }) => type === 'item').map((l) => l['value']),
        [...Array(8_000).keys()],
      )
      assert.deepEqual(
        counted.told.slice(-2).map(({ type }) => type),
        ['end', 'closed'],
      )
      const total = await call('test.total', [null], [...options, '--send-count', '8000'])
      assert.equal(total.first['value'], 31_996_000)
      const doubled = await call('test.double', [null], [...options, '--send', '[1,2,3]'])
      assert.deepEqual(
        doubled.told.map((l) => l['value'] ?? l.type),
        ['head', 2, 4, 6, 'end', 'closed'],
      )
      const first = await call('test.first', [null], [...options, '--send-count', '1000000', '--endless'])
      assert.ok(first.told.some((l) => l.type === 'reply' && l['value'] === 0))
      const large = await call('test.large', [500_000, 3], options)
      assert.deepEqual(
        large.told.filter(({ type }) => type === 'item').map((l) => l['value'].length),
        Array(3).fill(500_001),
      )
      const text = 'é'.repeat(50_000)
      assert.equal((await call('test.echo', [text], options)).first['value'], text)
      const failed = await call('test.failAfter', [2], options)
      assert.deepEqual(
        failed.told.map(({ type }) => type),
        ['head', 'item', 'item', 'error', 'closed'],
      )
    })

    it('cancels, and meets its deadline', async () => {
      const left = await call('test.count', [1_000_000], [...options, '--cancel-after', '5'])
      assert.deepEqual(
        left.told.map(({ type }) => type),
        ['head', ...Array(5).fill('item'), 'cancelled', 'closed'],
      )
      const isRunning = begun('slow')
      const cancelled = call('test.slow', [], [...options, '--cancel-after', '0'])
      await isRunning
      const wasCancelled = begun('slow cancelled')
      shell.say('cancel')
      await wasCancelled
      assert.ok((await cancelled).closed)
      const late = await call('test.slow', [], [...options, '--timeout', '50'])
      assert.equal(late.first['code'], 'deadline_exceeded')
    })

    it('cancels large items in the middle, and loses no credit', async () => {
      const cancelled = await call(
        'test.large',
        [400_000, 1],
        [...options, '--cancel-in-item', '--repeat', '10'],
      )
      assert.equal(cancelled.told.filter(({ type }) => type === 'cancelled').length, 10)
      assert.ok(cancelled.closed)
    })

    it('has large items refused in the middle, and loses no credit', async () => {
      const items = JSON.stringify([1, 'x'.repeat(400_000), 'y'.repeat(400_000)])
      const refused = await call(
        'test.first',
        [null],
        [...options, '--send', items, '--endless', '--repeat', '10'],
      )
      assert.deepEqual(
        refused.told.filter(({ type }) => type === 'reply').map((l) => l['value']),
        Array(10).fill(1),
      )
    })

    it('gets an error in the middle of an item', async () => {
      // The window lets come more than the sockets hold, so that an item is under way when the time is over.
      const late = [
        '--bounded',
        '--timeout',
        '100',
        '--pause',
        '150',
        '--repeat',
        '2',
        '--window',
        '1000000000',
      ]
      const { told } = await call('test.large', [2_000_000, 100], [...options, ...late])
      assert.deepEqual(
        told.filter(({ type }) => type !== 'item').map((l) => l['code'] ?? l.type),
        ['head', 'deadline_exceeded', 'head', 'deadline_exceeded', 'closed'],
      )
      assert.equal(told.at(-1)?.['givenUp'], 2)
    })
  })

  describe(`a Farcall client and a server in Python (${codec})`, { skip }, () => {
    it('values, errors, metadata, one-way', async () => {
      await using peer = await connectTo(python, codec)
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
      // What the other process prints of a call comes by another way than its answer.
      const added = () => peer.lines().filter((l) => l.type === 'call' && l['name'] === 'test.add').length
      while (added() < 5) await new Promise((resolve) => setImmediate(resolve))
      assert.equal(added(), 5)
      assert.deepEqual(peer.faults(), [])
    })

    it('streams both ways, in credit and in parts', async () => {
      await using peer = await connectTo(python, codec)
      const { t } = peer
      assert.deepEqual(await all(t.count(8_000)), [...Array(8_000).keys()])
      assert.equal(await t.total(upTo(8_000)), 31_996_000)
      assert.equal(await t.first(upTo(1_000_000)), 0)
      assert.deepEqual(await all(t.double(upTo(3))), [0, 2, 4])
      await assert.rejects(all(t.failAfter(3)), failsWith('aborted'))
      assert.deepEqual(
        (await all(t.large(300_000, 3))).map((text) => text.length),
        Array(3).fill(300_001),
      )
      const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(100_000))
      assert.deepEqual(await Promise.all(texts.map((text) => t.echo(text))), texts)
      // Ten streams that are left early: what each had under way must not be lost to the connection.
      for (let i = 0; i < 10; i++) for await (const n of t.count(100_000)) if (n === 100) break
      assert.equal((await all(t.count(8_000))).length, 8_000)
      assert.deepEqual(peer.faults(), [])
    })

    it('an item that ends in the middle: an error, cancelling, refusing', async () => {
      await using peer = await connectTo(python, codec)
      const { t } = peer
      for (let i = 0; i < 6; i++) {
        await assert.rejects(all(peer.own.torn(200_000, 'aborted')), failsWith('aborted'))
        const abort = new AbortController()
        const torn = all(peer.own.$with({ signal: abort.signal }).torn(200_000, null))
        const failed = assert.rejects(torn, failsWith('cancelled'))
        await python.next('"slow", "is": "running"')
        abort.abort()
        await failed
        assert.equal(
          await peer.own.refuse(texts(3)),
          0,
          'parts after the client knew that they are not wanted',
        )
      }
      assert.deepEqual(
        (await all(t.large(200_000, 3))).map((text) => text.length),
        Array(3).fill(200_001),
      )
      assert.equal(await t.total(upTo(8_000)), 31_996_000)
      assert.deepEqual(peer.faults(), [])
    })

    it('cancelling, deadlines, pings, draining, the end', async () => {
      await using own = await startPython()
      await using peer = await connectTo(own, codec)
      const { t } = peer
      const abort = new AbortController()
      const slow = assert.rejects(t.$with({ signal: abort.signal }).slow(), failsWith('cancelled'))
      await own.line(/"running"/)
      abort.abort()
      await slow
      await own.line(/"over"/)
      await assert.rejects(t.$with({ timeoutMs: 50 }).slow(), failsWith('deadline_exceeded'))
      own.child.stdin?.write('ping\n')
      await own.line(/"pong", "body": "farcall\?"/)
      own.child.stdin?.write('drain\n')
      await own.line(/disconnected/)
      assert.equal(await t.add(1, 2), 3, 'on a new connection')
      await peer.client.close()
      await own.line(/disconnected[^]*disconnected/)
      assert.deepEqual(peer.faults(), [])
    })
  })
}

describe('calls right behind the preface, before the window of the server is known', { skip }, () => {
  it('a value', async () => {
    const { first } = await call('test.add', [1, 2], ['--eager'])
    assert.equal(first['value'], 3)
  })

  it('a stream argument of more than the least window', async () => {
    const options = ['--eager', '--send-count', '20000', '--timeout', '10000']
    const { first } = await call('test.total', [null], options)
    assert.equal(first['value'], 199_990_000)
  })
})

describe('what two sides cannot agree on', { skip }, () => {
  it('a version that Farcall does not speak', async () => {
    const { code, lines } = await call('test.add', [1, 2], ['--versions', '[2]'])
    assert.equal(code, 1)
    const preface = lines.find(({ type }) => type === 'preface')
    assert.equal(preface?.['fields'].refused.code, 'unimplemented')
    assert.deepEqual([preface?.['fields'].versions, preface?.['fields'].codecs], [[1], ['msgpack', 'json']])
    assert.ok(lines.some(({ type }) => type === 'close'))
  })

  it('a codec that the server does not speak', async () => {
    await using own = await startPython(['--codec', 'msgpack'])
    await using peer = await connectTo(own, 'json')
    await assert.rejects(peer.t.add(1, 2), failsWith('unimplemented'))
  })
})

/** What only the server in Python has. */
interface PythonOnly {
  torn(length: number, code: string | null): AsyncIterable<string>
  refuse(items: AsyncIterable<string>): number
}

async function* texts(count: number) {
  for (let i = 0; i < count; i++) yield String(i).repeat(200_000)
}

/** A server in Python. */
async function startPython(args: readonly string[] = []) {
  const peer = startPeer(['serve', ...args])
  const port = (await peer.line(/"port": (\d+)/))[1]
  let seen = 0
  return {
    target: `tcp://127.0.0.1:${port}`,
    child: peer.child,
    line: peer.line,
    /** Waits until this has been printed once more than at the last time. */
    async next(text: string) {
      const found = () => peer.output.split(text).length - 1
      seen += 1
      while (found() < seen) await once(peer.child.stdout as Readable, 'data')
    },
    get output() {
      return peer.output
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  }
}

type PythonServer = Awaited<ReturnType<typeof startPython>>

/** A Farcall client of a server in Python, and what that prints from now on. */
async function connectTo(peer: PythonServer, codec: CodecName) {
  const client = connectWith(codec, peer.target)
  const from = peer.output.length
  const lines = () => parseLines(peer.output.slice(from))
  return {
    client,
    t: client.service<Test>('test'),
    own: client.service<PythonOnly>('test'),
    lines,
    faults: () => lines().filter(({ type }) => type === 'fault'),
    [Symbol.asyncDispose]: () => client.close(),
  }
}
