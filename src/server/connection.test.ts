import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { detectPrefix } from '../core/detect.ts'
import { RpcError } from '../core/error.ts'
import { seededRandom } from '../core/random.ts'
import { service } from '../core/service.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { Wire } from '../transports/transport.ts'
import type { Unwrap } from '../transports/unwrap.ts'
import { createLineClient, createLineProtocol, sendText } from './fixtures/line-protocol.ts'
import { createRig } from './fixtures/rig.ts'

const math = service('math', { add: (a: number, b: number) => a + b })

function watch(wire: Wire): { closed: boolean } {
  const seen = { closed: false }
  wire.onEnd = () => (seen.closed = true)
  wire.onClose = () => (seen.closed = true)
  return seen
}

/** Takes off a line `WRAP:name` and hands on the same connection. */
function createWrap(name: string, delayed?: (again: () => void) => void): Unwrap {
  const prefix = new TextEncoder().encode(`${name}\n`)
  return {
    name,
    detect: detectPrefix(prefix),
    unwrap(wire, again) {
      wire.onData = (chunk) => {
        const rest = chunk.slice(prefix.length)
        if (rest.length > 0) wire.unread(rest)
        if (delayed === undefined) again(wire)
        else delayed(() => again(wire))
      }
    },
  }
}

test('protocols share a place and are told apart by their first bytes', async () => {
  const other = createLineProtocol({ name: 'other', preface: 'OTHER\n' })
  await using rig = createRig({ protocols: [createLineProtocol(), other] })
  const server = await rig.serve([math])
  const one = await rig.client()
  const two = createLineClient(await rig.dial(), 'OTHER\n')
  assert.equal(await one.call('math', 'add', 1, 2), 3)
  assert.equal(await two.call('math', 'add', 3, 4), 7)
  assert.equal(await two.call('math', 'add', 3, 4), 7)
  assert.deepEqual(server.stats().sessions, { line: 1, other: 1 })
  assert.deepEqual(server.stats().callsBy, { line: 1, other: 2 })
  assert.deepEqual(
    server.endpoints.map(({ protocol }) => protocol),
    ['line', 'other'],
  )
})

test('a head may come in any pieces', async () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(pieces, async (sizes) => {
      await using rig = createRig()
      await rig.serve([math])
      const wire = await rig.dial()
      let answered = ''
      wire.onData = (chunk) => (answered += new TextDecoder().decode(chunk))
      let rest = 'LINE\n{"id":1,"service":"math","method":"add","args":[1,2]}\n'
      for (const size of [...sizes, rest.length]) {
        sendText(wire, rest.slice(0, size))
        rest = rest.slice(size)
        await rig.clock.settle()
      }
      assert.equal(answered, '{"id":1,"value":3}\n')
    }),
    { numRuns: 15 },
  )
})

test('an unknown beginning is closed, and the log shows it and what is spoken', async () => {
  await using rig = createRig()
  const server = await rig.serve([math])
  const wire = await rig.dial()
  const seen = watch(wire)
  sendText(wire, 'GET /\u001b[31m HTTP/1.1\r\n')
  await rig.clock.settle()
  assert.equal(seen.closed, true)
  const line = rig.logger.lines.find(({ fields }) => fields['event'] === 'refused')
  assert.equal(line?.fields['text'], 'GET /.[31m HTTP/1.1..')
  assert.match(String(line?.fields['hex']), /^47 45 54 20 2f 1b/)
  assert.deepEqual(line?.fields['spoken'], ['line'])
  assert.equal(server.stats().connections.unrecognised, 1)
})

test('what is begun must be recognised in 5 s, one byte at a time does not help', async () => {
  const slow: Protocol = {
    ...createLineProtocol(),
    name: 'slow',
    detect: (head) => (head[0] === 0x41 ? 'more' : 'no'),
  }
  await using rig = createRig({ protocols: [slow] })
  await rig.serve([math])
  const wire = await rig.dial()
  const seen = watch(wire)
  await rig.clock.advance(60_000)
  for (let ms = 0; ms < 4_900; ms += 100) {
    sendText(wire, 'A')
    await rig.clock.advance(100)
  }
  assert.equal(seen.closed, false)
  await rig.clock.advance(200)
  assert.equal(seen.closed, true)
  assert.equal(rig.clock.deadlines.size, 0)
})

test('a head that is undecided at 4 KiB is refused', async () => {
  let longest = 0
  const slow: Protocol = {
    ...createLineProtocol(),
    detect(head) {
      longest = Math.max(longest, head.length)
      return 'more'
    },
  }
  await using rig = createRig({ protocols: [slow] })
  await rig.serve([math])
  const wire = await rig.dial()
  const seen = watch(wire)
  sendText(wire, 'A'.repeat(4095))
  await rig.clock.settle()
  assert.equal(seen.closed, false)
  sendText(wire, 'A'.repeat(5000))
  await rig.clock.settle()
  assert.equal(seen.closed, true)
  assert.equal(longest, 4096)
})

test('a connection that ends in the middle of its head is forgotten', async () => {
  await using rig = createRig()
  const server = await rig.serve([math])
  const wire = await rig.dial()
  sendText(wire, 'LI')
  wire.end()
  await rig.clock.settle()
  assert.equal(server.stats().connections.open, 0)
  assert.equal(rig.clock.deadlines.size, 0)
})

test('silent connections stay 5 min, and beyond the most allowed the oldest goes', async () => {
  await using rig = createRig()
  const server = await rig.serve([math], { limits: { maxSilentConnections: 3 } })
  const seen = []
  for (let i = 0; i < 5; i++) {
    seen.push(watch(await rig.dial()))
    await rig.clock.advance(1)
  }
  assert.deepEqual(
    seen.map(({ closed }) => closed),
    [true, true, false, false, false],
  )
  assert.equal(server.stats().connections.silent, 3)
  const client = await rig.client()
  assert.equal(await client.call('math', 'add', 1, 2), 3)
  await rig.clock.advance(300_010)
  assert.deepEqual(
    seen.map(({ closed }) => closed),
    [true, true, true, true, true],
  )
  assert.equal(server.stats().connections.open, 1)
  assert.equal(await client.call('math', 'add', 1, 2), 3)
})

test('beyond the most connections a new one is closed at once, and the others do not notice', async () => {
  await using rig = createRig()
  const server = await rig.serve([math], { limits: { maxConnections: 2 } })
  const clients = [await rig.client(), await rig.client()]
  for (const client of clients) assert.equal(await client.call('math', 'add', 1, 2), 3)
  const third = watch(await rig.dial())
  await rig.clock.settle()
  assert.equal(third.closed, true)
  for (const client of clients) assert.equal(await client.call('math', 'add', 1, 2), 3)
  clients[0]?.wire.close()
  await rig.clock.settle()
  assert.equal(await (await rig.client()).call('math', 'add', 1, 2), 3)
  assert.equal(server.stats().connections.turnedAway, 1)
})

test('beyond the most connections those that have made no call make room for new ones, the oldest first', async () => {
  await using rig = createRig()
  const server = await rig.serve([math], { limits: { maxConnections: 3 } })
  const caller = await rig.client()
  assert.equal(await caller.call('math', 'add', 1, 2), 3)
  const silent = watch(await rig.dial())
  const begun = await rig.dial()
  const half = watch(begun)
  sendText(begun, 'LI')
  await rig.clock.settle()
  const next = await rig.client()
  await rig.clock.settle()
  assert.deepEqual([silent.closed, half.closed], [true, false])
  const last = await rig.client()
  await rig.clock.settle()
  assert.equal(half.closed, true)
  for (const client of [caller, next, last]) assert.equal(await client.call('math', 'add', 1, 2), 3)
  assert.equal(server.stats().connections.open, 3)
  assert.equal(server.stats().connections.turnedAway, 2)
})

test('connections inside one another are looked at three deep, not four', async () => {
  await using rig = createRig({ unwraps: [createWrap('WRAP')] })
  await rig.serve([math])
  const three = createLineClient(await rig.dial(), 'WRAP\nWRAP\nWRAP\nLINE\n')
  assert.equal(await three.call('math', 'add', 1, 2), 3)
  const four = createLineClient(await rig.dial(), 'WRAP\nWRAP\nWRAP\nWRAP\nLINE\n')
  await rig.clock.settle()
  assert.equal(four.closed, true)
  assert.match(
    rig.logger.lines.findLast(({ fields }) => fields['event'] === 'refused')?.message ?? '',
    /more than 3/,
  )
})

test('an unwrap that never hands anything on is ended, and what it hands on later is closed', async () => {
  let late: (() => void) | undefined
  await using rig = createRig({ unwraps: [createWrap('WRAP', (again) => (late = again))] })
  const server = await rig.serve([math])
  const wire = await rig.dial()
  const seen = watch(wire)
  sendText(wire, 'WRAP\n')
  await rig.clock.advance(5_010)
  assert.equal(seen.closed, true)
  assert.equal(server.stats().connections.open, 0)
  late?.()
  await rig.clock.settle()
  assert.equal(server.stats().connections.open, 0)
})

test('with tls only what is inside of TLS is listened to', async () => {
  await using rig = createRig({ protocols: [createLineProtocol()] })
  const tcp = {
    ...rig.transport,
    name: 'tcp',
    listen: (_: unknown, accept: (wire: Wire) => void) =>
      rig.transport.listen({ transport: 'memory', name: 'a' }, accept),
  }
  Object.assign(rig.parts, { transports: [tcp] })
  const server = rig.server([math], { listen: 'tls://127.0.0.1:1', tls: createWrap('tls') })
  await server.listen()
  const plain = await rig.client()
  await rig.clock.settle()
  assert.equal(plain.closed, true)
  const wrapped = createLineClient(await rig.dial(), 'tls\nLINE\n')
  assert.equal(await wrapped.call('math', 'add', 1, 2), 3)
  await server.close({ graceMs: 0 })
})

test('a protocol or detector that throws harms its own connection alone', async () => {
  const broken: Protocol = {
    ...createLineProtocol({ name: 'broken', preface: 'BROKEN' }),
    accept() {
      throw new Error('accept broke')
    },
  }
  const worse: Protocol = {
    ...createLineProtocol({ name: 'worse' }),
    detect(head) {
      if (head[0] === 0x57) throw new Error('detect broke')
      return 'no'
    },
  }
  await using rig = createRig({ protocols: [broken, worse, createLineProtocol()] })
  const server = await rig.serve([math])
  for (const text of ['BROKEN', 'WORSE']) {
    const wire = await rig.dial()
    const seen = watch(wire)
    sendText(wire, text)
    await rig.clock.settle()
    assert.equal(seen.closed, true, text)
  }
  assert.equal(await (await rig.client()).call('math', 'add', 1, 2), 3)
  assert.equal(server.stats().connections.open, 1)
})

test('a connection that something else accepted is served like any other', async () => {
  await using rig = createRig()
  const server = await rig.serve([math])
  await rig.transport.listen({ transport: 'memory', name: 'elsewhere' }, (wire) => server.accept(wire))
  assert.equal(await (await rig.client('elsewhere')).call('math', 'add', 1, 2), 3)
  await server.close({ graceMs: 0 })
  const late = await rig.client('elsewhere')
  await rig.clock.settle()
  assert.equal(late.closed, true)
})

test('a thousand connections of garbage: a bystander gets its answers, and the log stays short', async () => {
  await using rig = createRig()
  const server = await rig.serve([math])
  const bystander = await rig.client()
  const random = seededRandom(7)
  const seen: { closed: boolean }[] = []
  for (let i = 0; i < 1_000; i++) {
    const wire = await rig.dial()
    seen.push(watch(wire))
    const length = 1 + Math.floor(random() * 5_000)
    // Never an L first, which could be the beginning of something.
    const text = Array.from({ length }, () => String.fromCharCode(Math.floor(random() * 64))).join('')
    sendText(wire, text)
    if (i % 100 === 0) assert.equal(await bystander.call('math', 'add', i, 1), i + 1)
  }
  await rig.clock.advance(1_000)
  assert.ok(seen.every(({ closed }) => closed))
  assert.equal(await bystander.call('math', 'add', 1, 2), 3)
  const stats = server.stats().connections
  assert.equal(stats.open, 1)
  assert.equal(stats.unrecognised, 1_000)
  assert.ok(rig.logger.lines.filter(({ fields }) => fields['event'] === 'refused').length <= 20)
  assert.equal(rig.clock.deadlines.size, 0)
})

test('a peer that breaks off in the middle of its calls is in the log, with why', async () => {
  await using rig = createRig()
  const server = await rig.serve([service('slow', { hang: () => new Promise(() => {}) })])
  const client = await rig.client()
  client.call('slow', 'hang').catch(() => {})
  await rig.clock.settle()
  client.wire.close(new RpcError('unavailable', 'pulled the plug'))
  await rig.clock.settle()
  assert.equal(server.stats().inFlight, 0)
  assert.equal(server.stats().connections.open, 0)
})
