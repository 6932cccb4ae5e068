import { parseHostPort } from '../core/endpoint.ts'
import type { Peer } from '../core/peer.ts'
import { readNumber } from './api/guards.ts'
import { maxTtlMs, minTtlMs } from './api/limits.ts'
import type { RenewRequest } from './api/messages.ts'
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

/** The local host of the connection by which the registry answers. */
async function askLocalHost(line: RegistryLine, signal: AbortSignal): Promise<string | undefined> {
  let peer: Peer | undefined
  const request: RenewRequest = { leases: [] }
  try {
    await askRegistry(line, 'renew', request, { signal, onAnswer: (call) => (peer = call.peer) })
    return peer?.localAddress === undefined ? undefined : parseHostPort(peer.localAddress).host
  } catch {
    // It is down, or reached by what has no hosts (a unix socket): the server finds another way and asks again.
    return undefined
  }
}
