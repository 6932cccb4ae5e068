import type { Balancer } from '../balancers/balancer.ts'
import { checkKeys, positive, unknownName } from '../core/check.ts'
import { RpcError } from '../core/error.ts'
import type { Layer } from '../core/layer.ts'
import { type Limits, resolveLimits } from '../core/limits.ts'
import type { Logger } from '../core/log.ts'

/** What a client may be told. `Retry` is what the retry layer takes. */
export interface ClientOptions<Retry = object> {
  /** How long a reply, or a stream's first item, may take. Default 10 s: long for a person, short for a lost server. */
  readonly timeoutMs?: number
  /** Who gets a call: a name, or a policy of your own. Default `p2c`, the better of two at random. */
  readonly balancer?: string | Balancer
  /** Around each call, the first outermost. */
  readonly layers?: readonly Layer[]
  /** Around each attempt of a call, inside of retry. */
  readonly attemptLayers?: readonly Layer[]
  /** How failed calls are repeated; false for never. Default: those that are safe to repeat, up to 3 attempts. */
  readonly retry?: Retry | false
  readonly limits?: Partial<Limits>
  /** Only instances that offer this version of a service. Default: any. */
  readonly version?: string
  /** Only instances in this zone. Default: any. */
  readonly zone?: string
  /** Only instances with all these pairs in their metadata. */
  readonly metadata?: Readonly<Record<string, string>>
  /** What of a call's metadata goes on to the calls made inside of its handler, by name. Default: nothing but trace. */
  readonly forwardMetadata?: readonly string[]
  /** The names of the protocols that are spoken: who offers none of them is no candidate. Default: all. */
  readonly protocols?: readonly string[]
  /** Which protocol is spoken to an instance that offers several, best first. Default: in the instance's own order. */
  readonly protocolPreference?: readonly string[]
  /** How long making a connection may take, per address. Default 1 s, or what the protocol says. */
  readonly connectTimeoutMs?: number
  /** Open connections per endpoint; more calls than they take wait. Default 10. */
  readonly maxSessionsPerEndpoint?: number
  /** Default: writes nothing. */
  readonly logger?: Logger
}

/** The same, complete. */
export interface ResolvedClientOptions<Retry = object> {
  readonly timeoutMs: number
  /** The same where nobody gave it: a protocol that agrees on another time with its peer goes before it. */
  readonly defaultTimeoutMs: number | undefined
  readonly balancer: Balancer
  readonly layers: readonly Layer[]
  readonly attemptLayers: readonly Layer[]
  readonly retry: Retry | false | undefined
  readonly limits: Limits
  readonly filters: {
    readonly version?: string
    readonly zone?: string
    readonly metadata?: Readonly<Record<string, string>>
  }
  readonly forwardMetadata: readonly string[]
  /** Undefined: all. */
  readonly protocols: readonly string[] | undefined
  readonly protocolPreference: readonly string[]
  readonly connectTimeoutMs: number | undefined
  readonly maxSessionsPerEndpoint: number
  readonly logger: Logger
}

/** What the defaults are taken from. */
export interface OptionsRoom {
  readonly balancers: Readonly<Record<string, Balancer>>
  readonly protocols: readonly { readonly name: string }[]
  readonly logger: Logger
}

const defaultTimeoutMs = 10_000

const names: ReadonlySet<string> = new Set<keyof ClientOptions>([
  'timeoutMs',
  'balancer',
  'layers',
  'attemptLayers',
  'retry',
  'limits',
  'version',
  'zone',
  'metadata',
  'forwardMetadata',
  'protocols',
  'protocolPreference',
  'connectTimeoutMs',
  'maxSessionsPerEndpoint',
  'logger',
])

/**
 * Completes and checks the options of a client.
 * @throws RpcError `invalid_argument` for an unknown option, balancer or protocol, or a value of the wrong kind.
 */
export function resolveClientOptions<Retry>(
  given: ClientOptions<Retry>,
  room: OptionsRoom,
): ResolvedClientOptions<Retry> {
  checkKeys('option', given, names)
  const { version, zone, metadata } = given
  const { protocols, protocolPreference = [] } = given
  if (protocols?.length === 0) throw wrong("'protocols' is empty: name at least one")
  const known = room.protocols.map(({ name }) => name)
  for (const name of [...(protocols ?? []), ...protocolPreference]) {
    if (!known.includes(name)) throw unknownName('protocol', name, known)
  }
  return Object.freeze({
    timeoutMs: positive('timeoutMs', given.timeoutMs ?? defaultTimeoutMs),
    defaultTimeoutMs: given.timeoutMs === undefined ? defaultTimeoutMs : undefined,
    balancer: balancerFor(given.balancer ?? 'p2c', room.balancers),
    layers: layers('layers', given.layers),
    attemptLayers: layers('attemptLayers', given.attemptLayers),
    retry: given.retry,
    limits: resolveLimits(given.limits),
    filters: Object.freeze({
      ...(version !== undefined && { version }),
      ...(zone !== undefined && { zone }),
      ...(metadata !== undefined && { metadata }),
    }),
    forwardMetadata: (given.forwardMetadata ?? []).map((name) => name.toLowerCase()),
    protocols,
    protocolPreference,
    connectTimeoutMs:
      given.connectTimeoutMs === undefined ? undefined : positive('connectTimeoutMs', given.connectTimeoutMs),
    maxSessionsPerEndpoint: positive('maxSessionsPerEndpoint', given.maxSessionsPerEndpoint ?? 10),
    logger: given.logger ?? room.logger,
  })
}

function balancerFor(given: string | Balancer, known: Readonly<Record<string, Balancer>>): Balancer {
  if (typeof given === 'function') return given
  const found = Object.hasOwn(known, given) ? known[given] : undefined
  if (found === undefined) throw unknownName('balancer', String(given), Object.keys(known))
  return found
}

function layers(name: string, given: readonly Layer[] = []): readonly Layer[] {
  if (!Array.isArray(given) || given.some((layer) => typeof layer !== 'function')) {
    throw wrong(`${name} must be an array of functions (next) => (call) => next(call)`)
  }
  return Object.freeze([...given])
}

function wrong(message: string): RpcError {
  return new RpcError('invalid_argument', message)
}
