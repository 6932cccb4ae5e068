import assert from 'node:assert/strict'
import { it } from 'node:test'
import { connect } from 'farcall'
import type { Load } from './processes/many.ts'
import { startProgram } from './support/process.ts'

// More than the streams of one connection by default (128), and than its calls (1,024).
const services = 200
const streams = 300
const calls = 2_000

async function many(...args: string[]) {
  const server = startProgram('processes/many.ts', args)
  const target = (await server.line(/ready (\S+)/))[1] as string
  return { target, stop: server.stop, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

it(`a client watches ${services} services at one registry, and sees each come and go`, async () => {
  await using registry = startProgram('processes/registry.ts')
  const target = (await registry.line(/ready tcp:\/\/(\S+)/))[1] as string
  await using first = await many(`registry://${target}`, String(services))
  await using client = connect(`registry://${target}`)
  const numbers = Array.from({ length: services }, (_, n) => n)
  const number = (n: number) => client.service<{ number(): number }>(`numbered-${n}`).number()
  assert.deepEqual(await Promise.all(numbers.map(number)), numbers)
  assert.deepEqual(
    client.status().services.filter(({ discovery }) => discovery !== 'live'),
    [],
  )

  await using second = await many(`registry://${target}`, String(services))
  const seen = () =>
    client.status().services.map(({ endpoints }) => endpoints.map(({ endpoint }) => endpoint))
  const settled = async (at: string[]) => {
    const wanted = at.toSorted().join()
    // Its own watches tell it: nothing is asked for anew.
    while (seen().some((endpoints) => endpoints.toSorted().join() !== wanted))
      await new Promise((resolve) => setImmediate(resolve))
  }
  await settled([first.target, second.target])
  assert.deepEqual(await first.stop(), { code: 0, signal: null })
  await settled([second.target])
  assert.deepEqual(await Promise.all(numbers.map(number)), numbers)
  assert.equal(client.status().endpoints.length, 1, 'one pool serves all services of a server')
})

it(`${streams} streams at once to one server all deliver, over more than one connection`, async () => {
  await using server = await many()
  await using client = connect(server.target)
  const load = client.service<Load>('load')
  const all = await Promise.all(
    Array.from({ length: streams }, (_, n) => Array.fromAsync(load.together(n + 1, streams))),
  )
  assert.deepEqual(
    all,
    Array.from({ length: streams }, (_, n) => [n + 1, -(n + 1)]),
  )
  const [endpoint] = client.status().endpoints
  assert.ok((endpoint?.sessions ?? 0) > 1, `${endpoint?.sessions} connections`)
  assert.equal(await load.open(), 0)
  assert.equal(client.status().pendingCalls, 0)
})

it(`${calls} calls at once to one server all succeed, from a client that has not connected yet and from one that has`, async () => {
  await using server = await many()
  await using client = connect(server.target)
  const { add } = client.service<Load>('load')
  for (const _round of ['cold', 'warm']) {
    const sums = await Promise.all(Array.from({ length: calls }, (_, n) => add(n, 1)))
    assert.deepEqual(
      sums,
      Array.from({ length: calls }, (_, n) => n + 1),
    )
  }
  assert.equal(client.status().pendingCalls, 0)
})

it(`${calls} calls at once beside ${streams} streams: neither takes the other's room`, async () => {
  await using server = await many()
  await using client = connect(server.target)
  const load = client.service<Load>('load')
  const open = Array.from({ length: streams }, (_, n) =>
    load.together(n + 1, streams)[Symbol.asyncIterator](),
  )
  const firsts = Promise.all(open.map((stream) => stream.next()))
  const sums = Promise.all(Array.from({ length: calls }, (_, n) => load.add(n, 1)))
  assert.equal((await firsts).length, streams)
  assert.equal((await sums).length, calls)
  const seconds = await Promise.all(open.map((stream) => stream.next()))
  assert.deepEqual(
    seconds.map(({ value }) => value),
    Array.from({ length: streams }, (_, n) => -(n + 1)),
  )
  await Promise.all(open.map(async (stream) => stream.return?.()))
  while ((await load.open()) > 0);
})
