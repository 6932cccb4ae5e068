import type { Balancer } from './balancers/balancer.ts'
import { avoiding } from './balancers/index.ts'
import { type ClientOptions, createClient, createReach, type FarcallClient } from './client/index.ts'
import type { Clock } from './core/clock.ts'
import type { Codec } from './core/codec.ts'
import { metaService } from './core/describe.ts'
import type { Logger } from './core/log.ts'
import type { Random } from './core/random.ts'
import type { Service } from './core/service.ts'
import type { DiscoveryRoom, Fetch, RegistrarFactory, ResolverFactory } from './discovery/source.ts'
import { type RetryOptions, retry } from './layers/retry.ts'
import type { Protocol } from './protocols/protocol.ts'
import {
  createServer,
  type HttpServeOptions,
  type LoadReading,
  type ServeOptions,
  type Server,
  type ServerView,
} from './server/index.ts'
import type { ByteStream, Transport, Wire } from './transports/transport.ts'
import type { Unwrap } from './transports/unwrap.ts'

/** Everything that a Farcall is put together from. `node.ts` has the usual choice; nothing registers itself. */
export interface FarcallParts {
  readonly clock: Clock
  readonly random: Random
  /** Best first: the order in which a server offers them. */
  readonly protocols: readonly Protocol[]
  /**
   * Protocols that a server has for itself, because they show it: HTTP with its pages. Each takes the place of the one of
   * its name among `protocols`. `server` gives what is shown, once there is something.
   */
  readonly serverProtocols?: (
    server: () => ServerView | undefined,
    options: HttpServeOptions,
  ) => readonly Protocol[]
  readonly unwraps: readonly Unwrap[]
  readonly transports: readonly Transport[]
  /** The first is the one that is used; the others are understood. */
  readonly codecs: readonly Codec[]
  readonly balancers: Readonly<Record<string, Balancer>>
  readonly resolvers: readonly ResolverFactory[]
  readonly registrars: readonly RegistrarFactory[]
  readonly logger: Logger
  /** Makes a wire of a stream of the platform's, for `server.accept`. */
  readonly wireFrom?: (stream: ByteStream) => Wire | undefined
  /** For registries that are asked over HTTP. */
  readonly fetch?: Fetch | undefined
  /** The addresses of this machine that others may reach, best first. */
  readonly localAddresses?: () => readonly string[]
  /** Reads the load of this process, for servers whose weight follows it. */
  readonly ownLoad?: () => LoadReading
}

export interface Farcall {
  connect(target: string | readonly string[], options?: ClientOptions<RetryOptions>): FarcallClient
  serve(services: readonly Service[], options?: ServeOptions): Promise<Server>
}

/** Puts a Farcall together: `connect` and `serve` that know these protocols, transports, codecs and registries. */
export function createFarcall(parts: FarcallParts): Farcall {
  const { clock, random } = parts
  const roomFor = (logger: Logger): DiscoveryRoom => ({
    clock,
    random,
    logger,
    reach: createReach({ ...parts, logger }),
    fetch: parts.fetch,
  })
  return {
    connect(target, options = {}) {
      const discoveryRoom = roomFor(options.logger ?? parts.logger)
      return createClient(
        { ...parts, discoveryRoom, retry: (given, how) => retry({ random, ...given }, how) },
        target,
        withAvoiding(options),
      )
    },
    async serve(services, options = {}) {
      const discoveryRoom = roomFor(options.logger ?? parts.logger)
      const made: { server?: Server } = {}
      const own = parts.serverProtocols?.(() => made.server, options.http ?? {}) ?? []
      const protocols = parts.protocols.map((one) => own.find(({ name }) => name === one.name) ?? one)
      const server = createServer({ ...parts, protocols, discoveryRoom }, services, options)
      made.server = server
      // It describes itself: `farcall methods` and consoles ask for that.
      server.add(metaService({ services: () => server.services(), ...pickBare(options) }))
      return server.listen()
    },
  }
}

function pickBare({ bareService }: ServeOptions): { bareService?: string } {
  return bareService === undefined ? {} : { bareService }
}

// A policy of the user's own need not know of retries either: those that were tried are passed over for it.
function withAvoiding(options: ClientOptions<RetryOptions>): ClientOptions<RetryOptions> {
  const { balancer } = options
  return typeof balancer === 'function' ? { ...options, balancer: avoiding(balancer) } : options
}
