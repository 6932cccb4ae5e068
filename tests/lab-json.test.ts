// The Python system of the JSON lab documents, as real processes: its clients call our server, we call its servers.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Client, RpcError, service } from 'farcall'
import { farcall, hostAndPort } from './support/older-systems.ts'
import { feed, start } from './support/process.ts'
import { noPython, parseLines } from './support/python-peer.ts'

const peers = fileURLToPath(new URL('peers/python/', import.meta.url))
const skip = noPython()

const lab = service('lab', {
  add: (a: number, b: number, c = 10) => a + b + c,
  upper: (text: string) => text.toUpperCase(),
  reverse: (items: unknown[]) => items.toReversed(),
  echo: (value: unknown) => value,
  async sleep(seconds: number) {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    return seconds
  },
  divide(a: number, b: number) {
    if (b === 0) throw new RpcError('invalid_argument', 'division by zero')
    return a / b
  },
  crash() {
    throw new TypeError('secret')
  },
})

interface Ask {
  readonly method: string
  readonly args?: readonly unknown[]
  readonly kwargs?: Readonly<Record<string, unknown>>
}

/** Runs the Python client; gives what its calls returned. */
async function askAll(target: string | undefined, asks: readonly Ask[], flags: readonly string[] = []) {
  const { host, port } = hostAndPort(target)
  await using client = start('python3', [`${peers}lab_client.py`, '-i', host, '-p', port, ...flags])
  await feed(
    client,
    asks.map((ask) => JSON.stringify(ask)),
  )
  const lines = parseLines(client.output)
  return {
    values: lines.filter(({ type }) => type === 'result').map(({ value }) => value as unknown),
    errors: lines.filter(({ type }) => type === 'error').map(({ message }) => message as string),
  }
}

async function startServer() {
  const server = start('python3', [`${peers}lab_server.py`, '-l', '127.0.0.1', '-p', '0'])
  const [, port] = await server.line(/listening on \S+:(\d+)/)
  return { server, target: `lab-json+tcp://127.0.0.1:${port}` }
}

describe('the lab client in Python calls us', { skip }, () => {
  it('by position, by name, bare and with the service, and gets all four outcomes', async () => {
    await using server = await farcall.serve([lab], { port: 0 })
    const { values, errors } = await askAll(server.targets[0], [
      { method: 'add', args: [1, 2] },
      { method: 'add', args: [1], kwargs: { b: 2, c: 3 } },
      { method: 'lab.add', kwargs: { b: 2, a: 1 } },
      { method: 'upper', args: ['grüße €😀'] },
      { method: 'reverse', args: [[1, 'a', null, { x: true }]] },
      { method: 'echo', args: [2 ** 53] },
      { method: 'nope' },
      { method: 'add', args: [1] },
      { method: 'divide', args: [1, 0] },
      { method: 'crash' },
    ])
    assert.deepEqual(errors, [])
    assert.deepEqual(values.slice(0, 6), [13, 6, 13, 'GRÜSSE €😀', [{ x: true }, null, 'a', 1], 2 ** 53])
    assert.match(String(values[6]), /no service has a method 'nope'/)
    assert.match(String(values[7]), /lab.add is missing argument 'b'/)
    assert.equal(values[8], 'division by zero')
    assert.match(String(values[9]), /^internal error \(id /)
  })

  it('sees our methods, with their parameters', async () => {
    await using server = await farcall.serve([lab], { port: 0 })
    const { values } = await askAll(server.targets[0], [{ method: 'all_your_methods' }])
    assert.deepEqual(values, [
      {
        add: '(a, b, c=10)',
        upper: '(text)',
        reverse: '(items)',
        echo: '(value)',
        sleep: '(seconds)',
        divide: '(a, b)',
        crash: '()',
      },
    ])
  })

  it('sees the service that bare names mean, and exceptions, where a server is told so', async () => {
    const other = service('other', { add: () => 'other' })
    await using server = await farcall.serve([lab, other], {
      port: 0,
      bareService: 'other',
      exposeExceptions: true,
    })
    const { values } = await askAll(server.targets[0], [
      { method: 'all_your_methods' },
      { method: 'add' },
      { method: 'lab.crash' },
    ])
    assert.deepEqual(values, [{ add: '()' }, 'other', 'secret'])
  })

  it('ten at once, each on its own connection, none waiting for another', async () => {
    await using server = await farcall.serve([lab], { port: 0 })
    const asks = Array.from({ length: 10 }, (_, i) => ({ method: 'sleep', args: [0.3 + i / 100] }))
    const begin = performance.now()
    const { values } = await askAll(server.targets[0], asks, ['--at-once'])
    assert.deepEqual(
      values,
      asks.map(({ args }) => args[0]),
    )
    assert.ok(performance.now() - begin < 2500)
    assert.equal(server.stats().connections.accepted, 10)
  })

  it('reads no more than 1,024 bytes, and gets nothing wrong where an answer is longer', async () => {
    await using server = await farcall.serve([lab], { port: 0 })
    const { values, errors } = await askAll(server.targets[0], [
      { method: 'upper', args: ['x'.repeat(1000)] },
      { method: 'upper', args: ['x'.repeat(2000)] },
      { method: 'add', args: [1, 2] },
    ])
    assert.equal(errors.length, 1)
    assert.deepEqual(values, ['X'.repeat(1000), null, 13])
  })
})

interface Lab {
  add(a: number, b: number, c?: number): number
  factorial(n: number): bigint
  upper(text: string): string
  infinity(sign?: number): number
  sleep(seconds: number): number
  nope(): string
  all_your_methods(): Record<string, string>
}

describe('we call the lab server in Python', { skip }, () => {
  it('by bare names, by position and by name', async () => {
    const { server: process, target } = await startServer()
    await using _ = process
    await using client = farcall.connect(target)
    const remote: Client<Lab> = client.service<Lab>('')
    assert.equal(await remote.add(1, 2), 13)
    assert.equal(await remote.$named.add({ a: 1, b: 2, c: 3 }), 6)
    assert.equal(await remote.upper('grüße'), 'GRÜSSE')
    assert.equal(await remote.factorial(25), 15511210043330985984000000n)
    assert.equal(await remote.infinity(-1), Number.NEGATIVE_INFINITY)
    assert.deepEqual((await remote.all_your_methods())['add'], '(a, b, c=10)')
    // Its errors cannot be told from results.
    assert.equal(await remote.nope(), 'method nope does not exist')
  })

  it('ten at once, each on its own connection', async () => {
    const { server: process, target } = await startServer()
    await using _ = process
    await using client = farcall.connect(target)
    const remote = client.service<Lab>('')
    const begin = performance.now()
    const values = await Promise.all(Array.from({ length: 10 }, (_value, i) => remote.sleep(0.3 + i / 100)))
    assert.equal(values.length, 10)
    assert.ok(performance.now() - begin < 2500)
  })

  it('in turn where there are several', async () => {
    const servers = [await startServer(), await startServer()] as const
    await using _one = servers[0].server
    await using _two = servers[1].server
    await using client = farcall.connect(
      servers.map(({ target }) => target),
      { balancer: 'round-robin' },
    )
    const remote = client.service<Lab>('')
    for (let i = 0; i < 4; i++) assert.equal(await remote.add(i, 0), i + 10)
    for (const { latencyMs } of client.status().endpoints) assert.ok(latencyMs > 0, 'it was called')
  })

  it('and are told that a request is too long for it; nothing hangs', async () => {
    const { server: process, target } = await startServer()
    await using _ = process
    await using client = farcall.connect(target)
    const remote = client.service<Lab>('')
    await assert.rejects(remote.upper('x'.repeat(2000)), {
      code: 'unavailable',
      message: /the request has 20\d\d bytes, and the original lab servers read no more than 1024/,
    })
    assert.equal(await remote.add(1, 2), 13)
  })

  it('and fail at once when it is killed', async () => {
    const { server: process, target } = await startServer()
    await using _ = process
    await using client = farcall.connect(target, { retry: false })
    const remote = client.service<Lab>('')
    const lost = assert.rejects(async () => remote.sleep(60), { code: 'unavailable' })
    assert.equal(await remote.add(1, 2), 13)
    await process.stop('SIGKILL')
    await lost
    await assert.rejects(async () => remote.add(1, 2), { code: 'unavailable' })
  })
})

describe('we call ourselves over lab-json', () => {
  it('long values, errors with their codes', async () => {
    await using server = await farcall.serve([lab], { port: 0 })
    await using client = farcall.connect(`lab-json+${server.targets[0]}`)
    const remote = client.service<typeof lab>('lab')
    assert.equal(await remote.upper('x'.repeat(100_000)), 'X'.repeat(100_000))
    await assert.rejects(async () => remote.divide(1, 0), {
      code: 'invalid_argument',
      message: 'division by zero',
    })
  })
})
