// i: what idle connections cost a server, and whether a live one beside them notices. idle.ts [connections] [ms]
import { connect, type FarcallClient, serve, service } from '../../src/node.ts'
import { cpuOf } from '../harness/usage.ts'
import { isChild, startOwnServer, tellParent } from './own-server.ts'

const idle = service('idle', {
  add: (a: number, b: number) => a + b,
  memory() {
    globalThis.gc?.()
    globalThis.gc?.()
    const { rss, heapUsed } = process.memoryUsage()
    return { rss, heapUsed }
  },
})
const limits = { maxConnections: 50_000, maxSilentConnections: 50_000 }
const inFlight = 64

export interface IdleResult {
  readonly connections: number
  /** In bytes, at the server. */
  readonly rssEach: number
  readonly heapEach: number
  /** Of a server with nothing but idle connections: the share of a core. */
  readonly idleCpu: number
  /** Calls per second of the live connection, before and beside them. */
  readonly rateAlone: number
  readonly rateBeside: number
}

async function rate(client: FarcallClient, ms: number): Promise<number> {
  const { add } = client.service<typeof idle>('idle')
  let count = 0
  const until = performance.now() + ms
  const worker = async () => {
    for (let n = 0; performance.now() < until; n++) {
      if ((await add(n, 1)) !== n + 1) throw new Error('a result was wrong')
      count++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return Math.round((count / ms) * 1000)
}

async function measure(address: string, pid: number, connections: number, ms: number): Promise<IdleResult> {
  const live = connect(address)
  const { memory } = live.service<typeof idle>('idle')
  await rate(live, ms)
  const rateAlone = await rate(live, ms)
  const before = await memory()
  const clients: FarcallClient[] = []
  while (clients.length < connections) {
    const some = Array.from({ length: Math.min(100, connections - clients.length) }, () =>
      connect(address, { connectTimeoutMs: 10_000 }),
    )
    // Each has made a call: it is a session, not only a socket.
    await Promise.all(some.map((client) => client.service<typeof idle>('idle').add(1, 2)))
    clients.push(...some)
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
  const after = await memory()
  const [cpuBefore, at] = [cpuOf([pid]), performance.now()]
  await new Promise((resolve) => setTimeout(resolve, ms))
  const idleCpu = (cpuOf([pid]) - cpuBefore) / ((performance.now() - at) * 1000)
  const rateBeside = await rate(live, ms)
  return {
    connections,
    rssEach: Math.round((after.rss - before.rss) / connections),
    heapEach: Math.round((after.heapUsed - before.heapUsed) / connections),
    idleCpu,
    rateAlone,
    rateBeside,
  }
}

if (isChild()) {
  const server = await serve([idle], { port: 0, limits })
  tellParent({ address: server.targets[0] })
} else {
  const server = await startOwnServer('special/idle.ts')
  const { address, pid } = server.first
  const [, , connections = '10000', ms = '2000'] = process.argv
  console.log(JSON.stringify(await measure(address, pid, Number(connections), Number(ms))))
  // The server ends with us.
  process.exit(0)
}
