import assert from 'node:assert/strict'
import { it } from 'node:test'
import { connect, type RpcError } from 'farcall'
import type { Client } from 'farcall'
import { startProgram } from './support/process.ts'

interface Counter {
  increment(key: string): Promise<string>
  read(): Promise<string>
  executed(): string[]
}

interface Tally {
  readonly done: Map<string, string>
  readonly failed: RpcError[]
}

// Keeps `width` calls in flight until told to stop.
function load(width: number, call: (n: number) => Promise<string>) {
  const tally: Tally = { done: new Map(), failed: [] }
  let next = 0
  let stopped = false
  const waiting = new Set<() => void>()
  const worker = async () => {
    while (!stopped) {
      const n = next++
      try {
        tally.done.set(String(n), await call(n))
      } catch (error) {
        tally.failed.push(error as RpcError)
      }
      for (const check of waiting) check()
    }
  }
  const workers = Array.from({ length: width }, worker)
  return {
    tally,
    /** Waits for so many more answers. */
    more(count: number) {
      const until = tally.done.size + count
      return new Promise<void>((resolve) => {
        const check = () => {
          if (tally.done.size < until) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
      })
    },
    async stop() {
      stopped = true
      await Promise.all(workers)
      return tally
    },
  }
}

async function cluster() {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(startProgram('processes/registry.ts'))
  const target = (await registry.line(/ready tcp:\/\/(\S+)/))[1] as string
  const servers = new Map(
    ['one', 'two', 'three'].map((id) => [
      id,
      stack.use(startProgram('processes/counter.ts', [`registry://${target}`, id])),
    ]),
  )
  await Promise.all([...servers.values()].map((server) => server.line(/ready (\S+)/)))
  const client = stack.use(connect(`registry://${target}`))
  const counter: Client<Counter> = client.service<Counter>('counter')
  const all = stack.move()
  return { registry, target, servers, client, counter, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

it('a server that is stopped under load loses no call, also none that must not be repeated', async () => {
  await using c = await cluster()
  const work = load(32, (n) => c.counter.increment(`key-${n}`))
  await work.more(500)
  const ended = await c.servers.get('two')?.stop('SIGTERM')
  assert.deepEqual(ended, { code: 0, signal: null })
  await work.more(500)
  const { done, failed } = await work.stop()
  assert.deepEqual(failed, [])
  const by = Map.groupBy(done.values(), (id) => id)
  assert.equal(by.size, 3, 'all three had calls')
  // What the two that are left have executed, and what was answered by the one that left, is everything, once.
  const executed = (await c.counter.$broadcast().executed()).flatMap((leg) =>
    'value' in leg ? leg.value : [],
  )
  assert.equal(new Set(executed).size, executed.length, 'a key was executed twice')
  assert.equal(executed.length + (by.get('two')?.length ?? 0), done.size)
})

it('a server that is killed under load loses only calls that were in flight on it; those that may be repeated succeed', async () => {
  await using c = await cluster()
  const width = 32
  const reads = load(width, () => c.counter.read())
  const writes = load(width, (n) => c.counter.increment(`key-${n}`))
  await Promise.all([reads.more(500), writes.more(500)])
  await c.servers.get('three')?.stop('SIGKILL')
  await Promise.all([reads.more(500), writes.more(500)])
  const [read, written] = await Promise.all([reads.stop(), writes.stop()])
  assert.deepEqual(read.failed, [], 'an idempotent call failed')
  assert.ok(
    written.failed.length <= width,
    `${written.failed.length} calls failed, at most ${width} were in flight`,
  )
  for (const error of written.failed) assert.equal(error.code, 'unavailable', error.message)
  const executed = (await c.counter.$broadcast().executed()).flatMap((leg) =>
    'value' in leg ? leg.value : [],
  )
  assert.equal(new Set(executed).size, executed.length, 'a key was executed twice')
})

it('the calls go on without the registry, and servers return to it when it is back', async () => {
  await using c = await cluster()
  const work = load(8, () => c.counter.read())
  await work.more(100)
  await c.registry.stop('SIGKILL')
  await work.more(500)
  assert.equal(c.client.status().services[0]?.endpoints.length, 3)
  const port = c.target.split(':').at(-1) as string
  await using again = startProgram('processes/registry.ts', [port])
  await again.line(/ready/)
  await work.more(200)
  const { failed } = await work.stop()
  assert.deepEqual(failed, [])
  // The servers come back by themselves, with jitter; until then nobody doubts them.
  const isBack = async () => {
    const known = await c.client.refresh('counter').catch(() => [])
    return c.client.status().services[0]?.discovery === 'live' && known.length === 3
  }
  while (!(await isBack())) await new Promise((resolve) => setImmediate(resolve))
})
