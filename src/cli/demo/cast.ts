import { connect, type FarcallClient, silentLogger } from '../../node.ts'
import { type Child, startRegistry, startServer } from './processes.ts'
import { Tally } from './tally.ts'

/** Everything that runs in the demo. */
export interface Cast extends AsyncDisposable {
  readonly registry: Child
  /** By name; one that was killed is replaced when it comes back. */
  readonly servers: Map<string, Child>
  readonly client: FarcallClient
  readonly tally: Tally
  /** `registry://127.0.0.1:39041` */
  readonly target: string
  /** How long it took until the client knew all servers. */
  readonly foundMs: number
}

const names = ['amber', 'birch', 'cedar']

/** Starts a registry, three servers and a client, all but the client as processes of their own, on free ports. */
export async function assemble(): Promise<Cast> {
  const registry = await startRegistry()
  const target = registry.target.replace('tcp:', 'registry:')
  const servers = new Map<string, Child>()
  const tally = new Tally()
  const client = connect(target, { attemptLayers: [tally.layer], logger: silentLogger })
  const close = async () => {
    await client.close()
    await Promise.all([...servers.values()].map((server) => server.stop()))
    await registry.stop()
  }
  try {
    const started = await Promise.allSettled(names.map((name) => startServer(name, target)))
    // Whichever of them failed, those that have started are to be stopped.
    for (const one of started) if (one.status === 'fulfilled') servers.set(one.value.name, one.value)
    for (const one of started) if (one.status === 'rejected') throw one.reason
    const startedAt = performance.now()
    await everybody(client)
    const foundMs = performance.now() - startedAt
    return { registry, servers, client, tally, target, foundMs, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

// Servers register on their own; asked anew, the registry soon has them all.
async function everybody(client: FarcallClient): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await client.refresh('math').catch(() => [])).length === names.length) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('the servers have not registered within 5 s')
}
