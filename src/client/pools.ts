import type { Clock } from '../core/clock.ts'
import type { Codec } from '../core/codec.ts'
import { type Endpoint, formatAddress, formatEndpoint } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { Limits } from '../core/limits.ts'
import type { Logger } from '../core/log.ts'
import type { Random } from '../core/random.ts'
import type { Capabilities, ClientProtocol, Room } from '../protocols/protocol.ts'
import type { Transport } from '../transports/transport.ts'
import { createEndpointPool } from './endpoint-pool.ts'
import type { KnownMethods } from './known-methods.ts'
import type { EndpointPool } from './pool.ts'
import type { PoolOptions } from './pool-options.ts'

/** What connections are made with. */
export interface PoolParts {
  readonly clock: Clock
  readonly random: Random
  readonly protocols: readonly ClientProtocol[]
  readonly transports: readonly Transport[]
  readonly codecs: readonly Codec[]
  readonly logger: Logger
}

export interface PoolSetting {
  readonly limits: Limits
  readonly methods: KnownMethods
  readonly options: PoolOptions
  /** Best first; the others follow in the instance's own order. */
  readonly protocolPreference: readonly string[]
}

/** Opens pools, and knows which endpoints it can open them for. */
export interface PoolOpener {
  open(instance: Instance, endpoint: Endpoint): EndpointPool
  usable(instance: Instance): readonly Endpoint[]
  /** What its protocol can. */
  can(endpoint: Endpoint): Partial<Capabilities>
}

export function createPoolOpener(parts: PoolParts, setting: PoolSetting): PoolOpener {
  const protocols = new Map(parts.protocols.map((protocol) => [protocol.name, protocol]))
  const transports = new Map(parts.transports.map((transport) => [transport.name, transport]))
  const room = createRoom(parts, setting)
  const rank = (endpoint: Endpoint) => {
    const at = setting.protocolPreference.indexOf(endpoint.protocol)
    return at === -1 ? setting.protocolPreference.length : at
  }
  return {
    open(instance, endpoint) {
      const protocol = found(protocols, endpoint.protocol, 'protocol', endpoint)
      const transport = found(transports, endpoint.address.transport, 'transport', endpoint)
      return createEndpointPool({
        instance,
        endpoint,
        protocol,
        dial: (signal) => transport.dial(endpoint.address, signal, { alpn: protocol.alpn }),
        room,
        logger: parts.logger,
        options: setting.options,
      })
    },
    usable: ({ endpoints }) =>
      onePerAddress(
        endpoints
          .filter(({ protocol, address }) => protocols.has(protocol) && transports.has(address.transport))
          .sort((a, b) => rank(a) - rank(b)),
      ),
    can: ({ protocol }) => protocols.get(protocol)?.can ?? {},
  }
}

// The best protocol of each address: where that cannot be connected to, another protocol there would not be either,
// and a call must not find itself on one that can do less because a server was restarted.
function onePerAddress(best: readonly Endpoint[]): readonly Endpoint[] {
  if (best.length < 2) return best
  const seen = new Set<string>()
  return best.filter(({ address }) => {
    const key = formatAddress(address)
    return !seen.has(key) && seen.add(key) !== undefined
  })
}

function createRoom({ clock, random, codecs, logger }: PoolParts, { limits, methods }: PoolSetting): Room {
  return {
    clock,
    random,
    limits,
    codecs,
    info: (service, method) => methods.info(service, method),
    learn: (service, method, info) => methods.learn(service, method, info),
    report: (error, fields = {}) =>
      logger.warn({ event: 'client.report', ...fields, error: error.toJSON() }, error.message),
  }
}

function found<T>(known: ReadonlyMap<string, T>, name: string, what: string, endpoint: Endpoint): T {
  const value = known.get(name)
  if (value !== undefined) return value
  const names = [...known.keys()].join(', ')
  throw new RpcError(
    'invalid_argument',
    `${formatEndpoint(endpoint)}: unknown ${what} '${name}'; known: ${names}`,
  )
}
