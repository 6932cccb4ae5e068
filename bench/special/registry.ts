// k: a registry with many instances that send heartbeats, each over a connection of its own, and a change that many
// watchers see. registry.ts [instances] [watchers] [ms]
import { createReach } from '../../src/client/index.ts'
import { parseEndpoint } from '../../src/core/endpoint.ts'
import type { Instance } from '../../src/core/instance.ts'
import { silentLogger } from '../../src/core/log.ts'
import { registryRegistrars } from '../../src/discovery/registry-registrar.ts'
import { registryResolvers } from '../../src/discovery/registry-resolver.ts'
import type { Registration } from '../../src/discovery/registrar.ts'
import { nodeParts, startRegistry } from '../../src/node.ts'
import { nodeCommand, startProcess } from '../harness/processes.ts'
import { cpuOf, rssOf } from '../harness/usage.ts'
import { startOwnServer, tellParent } from './own-server.ts'

const ttlMs = 15_000
const services = 100
const changes = 10

export interface RegistryResult {
  readonly instances: number
  readonly watchers: number
  /** Of one core, while all send their heartbeats. */
  readonly cpuShare: number
  readonly rss: number
  /** From the asking for a change until the last watcher has seen it, in ms. */
  readonly changeMedianMs: number
  readonly changeMostMs: number
}

// When the registry ends, so does the measuring: what its clients then say is of no interest.
const parts = { ...nodeParts, logger: silentLogger }
const room = { ...parts, reach: createReach(parts) }

/** One of many; every hundredth is of the same service. */
function instanceNumber(i: number): Instance {
  return {
    id: `instance-${i}`,
    incarnation: 1,
    services: [{ name: `service-${i % services}` }],
    endpoints: [parseEndpoint(`tcp://10.0.${i >> 8}.${i & 0xff}:8089`)],
    weight: 1,
    zone: undefined,
    metadata: {},
    status: 'up',
  }
}

function register(target: string, i: number): Registration {
  return registryRegistrars.create(target, room).register([instanceNumber(i)], { ttlMs })
}

async function announce(target: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += 200) {
    const some = Array.from({ length: Math.min(200, count - i) }, (_, k) => register(target, i + k))
    await Promise.all(some.map(({ ready }) => ready))
  }
  tellParent({ address: target })
}

interface Watcher {
  seen(id: string): Promise<void>
}

async function watch(target: string): Promise<Watcher> {
  const resolver = registryResolvers.create(target, room)
  const known = new Set<string>()
  const waiting = new Map<string, () => void>()
  const first = Promise.withResolvers<void>()
  const follow = async () => {
    for await (const { status, instances } of resolver.watch({ service: 'service-0' }, neverAborted)) {
      if (status !== 'live') continue
      first.resolve()
      for (const id of waiting.keys()) {
        if (!instances.has(id)) continue
        known.add(id)
        waiting.get(id)?.()
        waiting.delete(id)
      }
    }
  }
  follow().catch((error: unknown) => first.reject(error))
  await first.promise
  return {
    seen: (id) => (known.has(id) ? Promise.resolve() : new Promise((resolve) => waiting.set(id, resolve))),
  }
}

const neverAborted = new AbortController().signal

async function measure(instances: number, watchers: number, ms: number): Promise<RegistryResult> {
  await using registry = await startOwnServer('special/registry.ts')
  const { address, pid } = registry.first
  const command = nodeCommand('special/registry.ts', ['announce', address, String(instances)])
  await using _announcing = await startProcess(command, { timeoutMs: 180_000 })
  const settled = async () => {
    // Until each has sent its first heartbeat: what that sets up on its connection is not what lasts.
    await new Promise((resolve) => setTimeout(resolve, (ttlMs / 3) * 1.1 + 1000))
    const [before, at] = [cpuOf([pid]), performance.now()]
    await new Promise((resolve) => setTimeout(resolve, ms))
    return (cpuOf([pid]) - before) / ((performance.now() - at) * 1000)
  }
  const cpuShare = await settled()
  const watching: Watcher[] = []
  while (watching.length < watchers) {
    const some = Math.min(50, watchers - watching.length)
    watching.push(...(await Promise.all(Array.from({ length: some }, () => watch(address)))))
  }
  const times: number[] = []
  for (let change = 0; change < changes; change++) {
    const i = (instances / services + change + 1) * services
    const all = Promise.all(watching.map((each) => each.seen(`instance-${i}`)))
    const at = performance.now()
    register(address, i).ready.catch(() => {})
    await all
    times.push(performance.now() - at)
  }
  times.sort((a, b) => a - b)
  return {
    instances,
    watchers,
    cpuShare,
    rss: rssOf([pid]),
    changeMedianMs: times[changes >> 1] as number,
    changeMostMs: times.at(-1) as number,
  }
}

const [, , role, first = '', second = ''] = process.argv
if (role === 'serve') {
  const { targets } = await startRegistry({
    port: 0,
    limits: { maxConnections: 20_000, maxSilentConnections: 20_000 },
  })
  tellParent({ address: (targets[0] as string).replace('tcp:', 'registry:') })
} else if (role === 'announce') await announce(first, Number(second))
else {
  const result = await measure(Number(role ?? 10_000), Number(first || 1000), Number(second || 10_000))
  console.log(JSON.stringify(result))
  process.exit(0)
}
