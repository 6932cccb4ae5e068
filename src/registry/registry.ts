import type { Cancel, Clock } from '../core/clock.ts'
import { detached } from '../core/context.ts'
import { type Logger, silentLogger } from '../core/log.ts'
import type { Random } from '../core/random.ts'
import { RpcError } from '../core/error.ts'
import type { RegistryEvent } from './events.ts'
import { logEvent } from './log-event.ts'
import type { RegistryOptions } from './options.ts'
import { registryMethods } from './service.ts'
import { RegistryStore } from './store.ts'

export interface RegistryRoom {
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
  /** Told of all that happens, beside the log. */
  readonly onEvent?: (event: RegistryEvent) => void
}

/** A registry: its store, and the methods that a server offers as the service `farcall.registry`. */
export interface Registry extends AsyncDisposable {
  readonly store: RegistryStore
  readonly methods: ReturnType<typeof registryMethods>['methods']
  /** What it holds now, for people and metrics. */
  facts(): { readonly instances: number; readonly leases: number; readonly watches: number }
  /** Ends all watches and the search for expired leases. Harmless if repeated. */
  close(): void
}

/**
 * Makes a registry that keeps everything in memory. Whoever owns it serves `methods` and closes it.
 * @throws RpcError `invalid_argument` for a wrong option.
 */
export function createRegistry(room: RegistryRoom, options: RegistryOptions = {}): Registry {
  const logger = room.logger ?? silentLogger
  const onEvent = (event: RegistryEvent) => {
    // A log that fails must not make a request fail whose work is half done.
    try {
      logEvent(logger, event)
      room.onEvent?.(event)
    } catch (error) {
      quietly(() =>
        logger.error(
          { event: 'registry.listener_failed', error: RpcError.from(error) },
          'a listener of the registry failed',
        ),
      )
    }
  }
  const store = new RegistryStore({ clock: room.clock, random: room.random, onEvent }, options)
  const { methods, closeWatches, watches } = registryMethods(store)
  const stopSweeping = keepSweeping(store, logger)
  const close = () => {
    stopSweeping()
    closeWatches()
    store.bell.close()
  }
  const facts = () => ({ instances: store.size, leases: store.leases, watches: watches() })
  return { store, methods, facts, close, [Symbol.asyncDispose]: async () => close() }
}

function keepSweeping(store: RegistryStore, logger: Logger): Cancel {
  const { clock, options } = store
  let cancel: Cancel
  const next = (): void => {
    const expectedAt = clock.now() + options.sweepMs
    cancel = clock.afterInBackground(options.sweepMs, () => {
      try {
        store.sweep(expectedAt)
      } catch (error) {
        quietly(() =>
          logger.error(
            { event: 'registry.sweep_failed', error: RpcError.from(error) },
            'the search for expired leases failed',
          ),
        )
      }
      next()
    })
  }
  detached(next)
  return () => cancel()
}

function quietly(fn: () => void): void {
  try {
    fn()
  } catch {
    // There is nobody left to tell.
  }
}
