import { checkKeys } from '../core/check.ts'
import {
  type Address,
  formatHostPort,
  isWildcardHost,
  parseEndpoint,
  parseHostPort,
} from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import type { Layer } from '../core/layer.ts'
import { type Limits, resolveLimits } from '../core/limits.ts'
import type { Logger } from '../core/log.ts'
import type { HttpRoute } from '../protocols/http-route.ts'
import { checkWeight } from '../core/weight.ts'
import type { Unwrap } from '../transports/unwrap.ts'
import { type AdaptWeightOptions, type ResolvedAdaptWeight, resolveAdaptWeight } from './adapt-weight.ts'

/** How a server is to serve. Everything has a default. */
export interface ServeOptions {
  /** The address to listen at; `0.0.0.0` or `::` for all. Default 127.0.0.1: open to others only on purpose. */
  readonly host?: string | undefined
  /** Default 8089; 0 takes a free one. */
  readonly port?: number | undefined
  /**
   * Where to listen, instead of `host` and `port`: `tcp://[::]:8089`, `tls://…`, `unix:/run/math.sock`, `memory:math`.
   * With a protocol before it (`json-rpc+tcp://…`) only that is spoken there.
   */
  readonly listen?: string | readonly string[] | undefined
  /** Where to register (`registry://127.0.0.1:9999`). Default: nowhere. */
  readonly registry?: string | readonly string[] | undefined
  /**
   * What others are told to dial: a host (`math.example`), with a port, or whole targets. Default: the listen host; for
   * `0.0.0.0` and `::` the address by which this machine reaches the registry, or else its first that is not internal.
   */
  readonly advertise?: string | readonly string[] | undefined
  /** Unique in the fleet. Default: chosen by chance. */
  readonly id?: string | undefined
  /** Its share of the calls beside its peers', for balancers that go by it. Default 1. */
  readonly weight?: number | undefined
  /**
   * Whether the weight follows the load of this process: it is then the given one times the part that is left of what
   * is scarcest, processor, event loop or memory. Default false.
   */
  readonly adaptWeight?: boolean | AdaptWeightOptions | undefined
  /** Where it stands: a data centre, a rack. */
  readonly zone?: string | undefined
  /** Text pairs that clients can filter by. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** How long a registry keeps the server without hearing from it. Default 15 s, renewed every third of it. */
  readonly ttlMs?: number | undefined
  readonly limits?: Partial<Limits> | undefined
  /** Around every call, outermost first. */
  readonly layers?: readonly Layer[] | undefined
  /** The names of the protocols that are spoken. Default: all that Farcall was put together with. */
  readonly protocols?: readonly string[] | undefined
  /** How long calls in flight may take to end when the server stops. Default 30 s. */
  readonly drainTimeoutMs?: number | undefined
  /**
   * How long new calls are still taken after a registry was told that the server drains. Default 100 ms: a watcher hears
   * of it in a few milliseconds, and a caller who does not is refused with "not executed" afterwards.
   */
  readonly announceDrainMs?: number | undefined
  /** What takes TLS off; with it, `host` and `port` listen to TLS alone. */
  readonly tls?: Unwrap | undefined
  readonly logger?: Logger | undefined
  /** The service that is meant where a peer names only a method. */
  readonly bareService?: string | undefined
  /**
   * Whether the message of an exception that a method threw without meaning to tell reaches the caller, as in the older
   * Python systems. Default false: the caller gets an id, the log has the rest.
   */
  readonly exposeExceptions?: boolean | undefined
  /** What the server answers over HTTP beside calls, and to whom. */
  readonly http?: HttpServeOptions | undefined
}

/** HTTP on the port of a server. */
export interface HttpServeOptions {
  /**
   * Names that the server answers to, beside `localhost`, addresses and names without a dot: `math.example`, or
   * `math.example:8089` with that port only; `*` for any, which lets a page of another site reach a server that only the
   * visitor's machine should (DNS rebinding).
   */
  readonly hosts?: readonly string[] | undefined
  /** Pages of other sites that may call, as `https://app.example`; `*` for any. Default: none. */
  readonly origins?: readonly string[] | undefined
  /** What opens `/debug/farcall` and `/metrics` to other machines. Default: none, and this machine alone sees them. */
  readonly debugToken?: string | undefined
  /**
   * More for the head of `/debug/farcall`, by name; numbers are in `/metrics` too. It is asked each time. Default: nothing.
   */
  readonly facts?: (() => Facts) | undefined
  /** Asked before those of Farcall, and before a path is taken for the name of a method. */
  readonly routes?: readonly HttpRoute[] | undefined
}

/** What a program says of itself on its debug page. */
export type Facts = Readonly<Record<string, string | number>>

/** Where to listen, and the one protocol spoken there if it was named. */
export interface ListenTarget {
  readonly address: Address
  readonly protocol: string | undefined
}

/** What others are told to dial, as it was given; a port of `undefined` or 0 is the one that is listened at. */
export type Advertise =
  | { readonly kind: 'host'; readonly host: string; readonly port: number | undefined }
  | { readonly kind: 'target'; readonly target: ListenTarget }

/** {@link ServeOptions}, complete and checked. */
export interface ResolvedServeOptions {
  readonly listen: readonly ListenTarget[]
  readonly registry: readonly string[]
  readonly advertise: readonly Advertise[]
  readonly id: string | undefined
  readonly weight: number
  readonly adaptWeight: ResolvedAdaptWeight | undefined
  readonly zone: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly ttlMs: number
  readonly limits: Limits
  readonly layers: readonly Layer[]
  readonly protocols: readonly string[] | undefined
  readonly drainTimeoutMs: number
  readonly announceDrainMs: number
  readonly tls: Unwrap | undefined
  readonly logger: Logger | undefined
  readonly bareService: string | undefined
  readonly exposeExceptions: boolean
}

// A record, so that the compiler sees to it that none is missing.
const known: Readonly<Record<keyof ServeOptions, true>> = {
  host: true,
  port: true,
  listen: true,
  registry: true,
  advertise: true,
  id: true,
  weight: true,
  adaptWeight: true,
  zone: true,
  metadata: true,
  ttlMs: true,
  limits: true,
  layers: true,
  protocols: true,
  drainTimeoutMs: true,
  announceDrainMs: true,
  tls: true,
  logger: true,
  bareService: true,
  exposeExceptions: true,
  http: true,
}

/**
 * Completes options with the defaults.
 * @throws RpcError `invalid_argument` for an unknown option, or one whose value makes no sense.
 */
export function resolveServeOptions(given: ServeOptions = {}): ResolvedServeOptions {
  checkKeys('option', given, new Set(Object.keys(known)))
  return Object.freeze({
    listen: listenTargets(given),
    registry: list('registry', given.registry),
    advertise: list('advertise', given.advertise).map(parseAdvertise),
    id: text('id', given.id),
    weight: checkWeight(given.weight ?? 1),
    adaptWeight: resolveAdaptWeight(given.adaptWeight),
    zone: text('zone', given.zone),
    metadata: pairs(given.metadata ?? {}),
    ttlMs: number('ttlMs', given.ttlMs ?? 15_000, 1),
    limits: resolveLimits(given.limits),
    layers: functions(given.layers ?? []),
    protocols: given.protocols,
    drainTimeoutMs: number('drainTimeoutMs', given.drainTimeoutMs ?? 30_000, 0),
    announceDrainMs: number('announceDrainMs', given.announceDrainMs ?? 100, 0),
    tls: given.tls,
    logger: given.logger,
    bareService: text('bareService', given.bareService),
    exposeExceptions: given.exposeExceptions === true,
  })
}

function listenTargets(given: ServeOptions): readonly ListenTarget[] {
  if (given.listen === undefined) {
    const host = text('host', given.host) ?? '127.0.0.1'
    const port = given.port ?? 8089
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw wrong(`port must be 0 to 65535, got ${String(port)}`)
    const transport = given.tls === undefined ? 'tcp' : 'tls'
    return [{ address: { transport, host: host.replace(/^\[(.*)\]$/, '$1'), port }, protocol: undefined }]
  }
  if (given.host !== undefined || given.port !== undefined)
    throw wrong("give either 'listen' or 'host' and 'port', not both")
  const targets = list('listen', given.listen).map(parseTarget)
  if (targets.length === 0)
    throw wrong("'listen' is empty: name at least one place, for example tcp://127.0.0.1:8089")
  if (given.tls === undefined && targets.some(({ address }) => address.transport === 'tls')) {
    throw wrong("listening at tls:// takes a certificate: give 'tls'")
  }
  return targets
}

/** Reads `tcp://…` and the like, or `host:port`. */
function parseTarget(target: string): ListenTarget {
  if (!/^[a-z][a-z0-9+-]*:(\/\/|[^\d])/.test(target)) {
    return { address: { transport: 'tcp', ...parseHostPort(target) }, protocol: undefined }
  }
  const { protocol, address } = parseEndpoint(target)
  return { address, protocol: /^[a-z0-9-]+\+/.test(target) ? protocol : undefined }
}

function parseAdvertise(given: string): Advertise {
  const advertise = readAdvertise(given)
  const host = advertise.kind === 'host' ? advertise.host : hostOf(advertise.target.address)
  if (host !== undefined && isWildcardHost(host)) {
    throw wrong(`'${given}' cannot be advertised: nobody can dial ${host}; name the address that others see`)
  }
  return advertise
}

function readAdvertise(given: string): Advertise {
  if (/^[a-z][a-z0-9+-]*:\/\/|^([a-z0-9-]+\+)?(unix|memory):/.test(given))
    return { kind: 'target', target: parseTarget(given) }
  const bareIpv6 = given.split(':').length > 2 && !given.startsWith('[')
  if (!bareIpv6 && /:\d+$/.test(given)) return { kind: 'host', ...parseHostPort(given) }
  const host = given.replace(/^\[(.*)\]$/, '$1')
  // Reading it back with a port shows whether it is a host at all.
  parseHostPort(formatHostPort(host, 1), given)
  return { kind: 'host', host, port: undefined }
}

function hostOf(address: Address): string | undefined {
  return address.transport === 'tcp' || address.transport === 'tls' ? address.host : undefined
}

function list(name: string, given: string | readonly string[] | undefined): readonly string[] {
  const all = given === undefined ? [] : typeof given === 'string' ? [given] : given
  for (const one of all) text(name, one)
  return all
}

function text(name: string, given: string | undefined): string | undefined {
  if (given === undefined || (typeof given === 'string' && given !== '')) return given
  throw wrong(`${name} must be a text that is not empty, got ${JSON.stringify(given)}`)
}

function number(name: string, given: number, least: number): number {
  if (typeof given === 'number' && given >= least && Number.isFinite(given)) return given
  throw wrong(`${name} must be a number of at least ${least}, got ${String(given)}`)
}

function pairs(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'string') throw wrong(`metadata '${name}' must be a text, got ${typeof value}`)
  }
  return Object.freeze({ ...given })
}

function functions(given: readonly Layer[]): readonly Layer[] {
  given.forEach((layer, at) => {
    if (typeof layer !== 'function') throw wrong(`layers[${at}] must be a function, got ${typeof layer}`)
  })
  return given
}

function wrong(why: string): RpcError {
  return new RpcError('invalid_argument', why)
}
