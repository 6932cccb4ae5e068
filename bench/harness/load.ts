import type { Connection, Load, Measured } from './peer.ts'
import { type Task, taskOf } from './tasks.ts'
import { cpuOf, rssOf } from './usage.ts'

// The same for all peers in Node, and cheap, for it is a part of what every one of them is seen to cost: a call is one
// `await`, one comparison and one addition. Of many in flight one call in eight is timed.

const maxSamples = 1 << 18
const timedEvery = 8

interface Run {
  count: number
  isOver: boolean
  /** Latencies in ms; the oldest are overwritten. */
  readonly samples: Float64Array
  sampled: number
}

/** Keeps calls in flight over some connections, and measures a window after a time of warming up. */
export async function runLoad(connect: () => Promise<Connection>, load: Load): Promise<Measured> {
  const connections = await Promise.all(Array.from({ length: load.connections }, connect))
  const run: Run = { count: 0, isOver: false, samples: new Float64Array(maxSamples), sampled: 0 }
  const workers = connections.flatMap((connection, i) => startWorkers(connection, i, load, run))
  const failed = Promise.all(workers).then(() => new Promise<never>(() => {}))
  const measured = await Promise.race([failed, measure(load, run)])
  run.isOver = true
  return measured
}

async function measure(load: Load, run: Run): Promise<Measured> {
  const own = [process.pid]
  await sleep(load.warmupMs)
  const [serverBefore, clientBefore] = [cpuOf(load.serverPids), cpuOf(own)]
  const [countBefore, startedAt] = [run.count, performance.now()]
  run.sampled = 0
  await sleep(load.windowMs)
  const elapsedMs = performance.now() - startedAt
  const count = run.count - countBefore
  const [serverCpu, clientCpu] = [cpuOf(load.serverPids) - serverBefore, cpuOf(own) - clientBefore]
  const [serverRss, clientRss] = [rssOf(load.serverPids), rssOf(own)]
  const sampled = run.samples.subarray(0, Math.min(run.sampled, maxSamples)).sort()
  const at = (share: number) => (sampled[Math.floor(sampled.length * share)] as number) * 1000
  const latency = sampled.length === 0 ? {} : { p50: at(0.5), p99: at(0.99) }
  return { count, elapsedMs, ...latency, serverCpu, clientCpu, serverRss, clientRss }
}

function startWorkers(connection: Connection, index: number, load: Load, run: Run): Promise<void>[] {
  const { inFlight, connections } = load
  const share = Math.floor(inFlight / connections) + (index < inFlight % connections ? 1 : 0)
  if (load.operation === 'count') {
    const { count } = connection
    if (count === undefined) throw new Error('it cannot count')
    return Array.from({ length: share }, () => streaming(count, run))
  }
  const task = taskOf(connection, load)
  if (task === undefined) throw new Error(`it cannot ${load.operation}`)
  const every = inFlight < timedEvery * 2 ? 1 : timedEvery
  return Array.from({ length: share }, () => calling(task, run, every))
}

async function calling(task: Task, run: Run, every: number): Promise<void> {
  for (let n = 1; !run.isOver; n = (n + 1) & 0xffff) {
    if (n % every === 0) {
      const at = performance.now()
      if (!task.isRight(await task.call(n), n)) throw new Error('a result was wrong')
      run.samples[run.sampled++ % maxSamples] = performance.now() - at
    } else if (!task.isRight(await task.call(n), n)) throw new Error('a result was wrong')
    run.count++
  }
}

const items = 1_000_000

async function streaming(count: (upTo: number) => AsyncIterable<number>, run: Run): Promise<void> {
  while (!run.isOver) {
    let expected = 0
    for await (const item of count(items)) {
      if (item !== expected++) throw new Error(`an item was wrong: ${item}, expected was ${expected - 1}`)
      run.count++
      if (run.isOver) return
    }
    if (expected !== items) throw new Error(`${expected} items came, not ${items}`)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
