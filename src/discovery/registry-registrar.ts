import { readNumber } from './api/guards.ts'
import { maxTtlMs, minTtlMs } from './api/limits.ts'
import { readOrigin } from './api/read-reply.ts'
import { askRegistry, openLine, type RegistryLine } from './call-registry.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import type { Registrar } from './registrar.ts'
import { parseRegistryTarget } from './registry-target.ts'
import type { DiscoveryRoom, RegistrarFactory } from './source.ts'

/** Announces at `registry://host:port[,host:port…]`. All servers that share the registrar share one lease. */
export const registryRegistrars: RegistrarFactory = {
  schemes: ['registry'],
  create: createRegistryRegistrar,
}

/** @throws RpcError `invalid_argument` for a target that it cannot read. */
export function createRegistryRegistrar(target: string, room: DiscoveryRoom): Registrar & AsyncDisposable {
  const line = openLine(parseRegistryTarget(target), room)
  const keeper = new LeaseKeeper(line, room, target)
  return {
    register(instances, options) {
      const ttlMs = readNumber(options.ttlMs, 'ttlMs', { min: minTtlMs, max: maxTtlMs, whole: false })
      return keeper.add(instances, ttlMs)
    },
    localHost: (signal) => askLocalHost(line, signal),
    async [Symbol.asyncDispose]() {
      await keeper.close()
      await line.close()
    },
  }
}

/**
 * Our own host on the way to the registry, as the registry sees it: what others who are as far away can connect to.
 */
async function askLocalHost(line: RegistryLine, signal: AbortSignal): Promise<string | undefined> {
  try {
    return readOrigin(await askRegistry(line, 'origin', undefined, { signal }))
  } catch {
    // It is down, or older than the question: the server finds another way, and asks again later.
    return undefined
  }
}
