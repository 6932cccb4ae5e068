import type { Registrar } from '../registrar.ts'
import type { Entry } from './dialect.ts'
import { HeartbeatKeeper, type KeeperOptions } from './heartbeat-keeper.ts'

/** A registrar for a registry that wants heartbeats. How long it keeps who is silent is its own affair: `ttlMs` says nothing. */
export function createBeatingRegistrar<E extends Entry>(
  options: KeeperOptions<E> & { close?(): Promise<void> },
): Registrar & AsyncDisposable {
  const keeper = new HeartbeatKeeper(options)
  return {
    register: (instances, { ttlMs }) => keeper.add(instances, ttlMs),
    async [Symbol.asyncDispose]() {
      await keeper.close()
      await options.close?.()
    },
  }
}
