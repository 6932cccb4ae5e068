import type { Balancer } from '../balancers/balancer.ts'
import { Call } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { markHopeless, RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { Layer } from '../core/layer.ts'
import type { DiscoveryRoom, ResolverFactory } from '../discovery/source.ts'
import type { FarcallClient } from './client.ts'
import { Cluster, type ClusterRoom } from './cluster.ts'
import { checkCalledName, declareContract } from './contract.ts'
import { createDispatch } from './dispatch.ts'
import { Endpoints } from './endpoints.ts'
import { Caller } from './invoke.ts'
import { KnownMethods } from './known-methods.ts'
import { clientClosed } from './nobody.ts'
import { OwnWeights } from './own-weights.ts'
import { type ClientOptions, type ResolvedClientOptions, resolveClientOptions } from './options.ts'
import { createPoolOpener, type PoolOpener, type PoolParts } from './pools.ts'
import { createProxy } from './proxy.ts'
import { Routes } from './routes.ts'
import { type ClientStatus, viewEndpoint, viewService } from './status.ts'
import { openSource, replaceTargets, type Source } from './targets.ts'
import type { Client, ServiceOptions } from './types.ts'

// Methods that are called without a service have each their own; past so many they share one.
const maxClusters = 1_000

/** What a client is put together from; the composition root has it. */
export interface ClientParts<Retry = object> extends PoolParts {
  readonly resolvers: readonly ResolverFactory[]
  readonly balancers: Readonly<Record<string, Balancer>>
  /** What resolvers find around them. Left out: no registry can be reached, only lists of endpoints. */
  readonly discoveryRoom?: DiscoveryRoom
  /** Makes the retry layer. Left out: nothing is repeated. */
  readonly retry?: (options: Retry | undefined, how: { readonly inPlace: boolean }) => Layer
  /** Outside of the user's layers; they end what they answer themselves. */
  readonly defaultLayers?: readonly Layer[]
}

/**
 * Makes a client of the services at a target, or at any of a list of endpoints. It returns at once; connections are
 * made when they are first needed.
 * @throws RpcError `invalid_argument` for a target or option that makes no sense, with those that do.
 */
export function createClient<Retry = object>(
  parts: ClientParts<Retry>,
  targets: string | readonly string[],
  options: ClientOptions<Retry> = {},
): FarcallClient {
  const resolved = resolveClientOptions(options, parts)
  const source = openSource(
    typeof targets === 'string' ? [targets] : targets,
    parts.resolvers,
    parts.discoveryRoom ?? { ...parts, reach: noRegistry },
  )
  return new ConnectedClient({ ...parts, logger: resolved.logger }, source, resolved)
}

function noRegistry(): never {
  throw new RpcError(
    'failed_precondition',
    'this client was put together without a way to registries: it takes endpoints (or give it a discoveryRoom)',
  )
}

class ConnectedClient<Retry> implements FarcallClient {
  readonly #clock: Clock
  readonly #source: Source
  readonly #options: ResolvedClientOptions<Retry>
  readonly #methods = new KnownMethods()
  readonly #routes = new Routes()
  readonly #clusters = new Map<string, Cluster>()
  readonly #weights = new OwnWeights()
  readonly #endpoints: Endpoints
  readonly #clusterRoom: ClusterRoom
  readonly #caller: Caller
  #state: ClientStatus['state'] = 'open'
  #closing: Promise<void> | undefined

  constructor(parts: ClientParts<Retry>, source: Source, options: ResolvedClientOptions<Retry>) {
    const { clock, random, logger } = parts
    this.#clock = clock
    this.#source = source
    this.#options = options
    const opener = this.#opener(parts)
    this.#endpoints = new Endpoints(opener.open)
    this.#clusterRoom = {
      clock,
      random,
      logger,
      resolver: source.resolver,
      source,
      balancer: options.balancer,
      endpoints: this.#endpoints,
      usable: opener.usable,
      can: opener.can,
      weigh: (instance) => this.#weights.apply(instance),
      known: () => this.#known(),
    }
    const { retry, layers, attemptLayers, timeoutMs, limits, forwardMetadata } = options
    const handler = createDispatch({
      routes: this.#routes,
      cluster: ({ service, method }, version) => this.#cluster(service, version, method),
      trustedLayers: parts.defaultLayers ?? [],
      layers,
      // Layers of the user's may change an attempt, and then it must not be the call itself.
      retry: retry === false ? undefined : parts.retry?.(retry, { inPlace: attemptLayers.length === 0 }),
      attemptLayers,
      closed: () => (this.#state === 'closed' ? clientClosed() : undefined),
    })
    this.#caller = new Caller({
      clock,
      timeoutMs,
      maxPendingCalls: limits.maxPendingCalls,
      forwardMetadata,
      handler,
      routes: this.#routes,
      closed: () => (this.#state === 'open' ? undefined : clientClosed()),
    })
  }

  service<S>(name: string, options: ServiceOptions = {}): Client<S> {
    checkCalledName(name)
    if (options.contract !== undefined) declareContract(name, options.contract, this.#methods)
    const around = { service: name, methods: this.#methods, invoke: this.#caller.invoke }
    return createProxy(around, options.version) as Client<S>
  }

  async endpoints(service: string) {
    const cluster = this.#open(service)
    await this.#within((signal) => cluster.ready(signal))
    return cluster.candidates.map(viewEndpoint)
  }

  async refresh(service: string) {
    const cluster = this.#open(service)
    await this.#within((signal) => cluster.refresh(signal))
    return cluster.candidates.map(viewEndpoint)
  }

  async pick(service: string, options: { readonly key?: string } = {}) {
    const cluster = this.#open(service)
    const { key } = options
    const { timeoutMs } = this.#options
    const deadline = this.#clock.now() + timeoutMs
    // A call that is never made: a balancer looks at the key.
    const call = new Call({ clock: this.#clock, service, method: '', args: { list: [] }, deadline, key })
    await this.#within((signal) => cluster.ready(signal))
    const picked = cluster.pick(call)
    if (picked !== undefined) return viewEndpoint(picked)
    throw (
      cluster.hopeless(call) ??
      new RpcError('unavailable', `nobody can take a call of '${service}' at the moment`)
    )
  }

  status(): ClientStatus {
    return {
      state: this.#state,
      source: this.#source.name,
      pendingCalls: this.#caller.pending,
      services: [...this.#clusters.values()].map((cluster) => viewService(cluster, this.#clock)),
      endpoints: [...this.#endpoints].map(viewEndpoint),
    }
  }

  replace(targets: string | readonly string[]): void {
    replaceTargets(this.#source, typeof targets === 'string' ? [targets] : targets)
  }

  setWeight(who: string, weight: number | undefined): void {
    this.#weights.set(who, weight)
    for (const cluster of this.#clusters.values()) cluster.reweigh()
  }

  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.graceMs ?? 0)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(graceMs: number): Promise<void> {
    this.#state = 'closing'
    if (graceMs > 0) await this.#idle(graceMs)
    this.#state = 'closed'
    for (const cluster of this.#clusters.values()) cluster.close(clientClosed())
    const reason = new RpcError('unavailable', 'the client was closed before the call had ended')
    await this.#endpoints.close(markHopeless(reason))
    await this.#source.resolver[Symbol.asyncDispose]?.()
  }

  async #idle(graceMs: number): Promise<void> {
    const { promise: over, resolve } = Promise.withResolvers<void>()
    const stop = this.#clock.after(graceMs, resolve)
    await Promise.race([this.#caller.idle(), over])
    stop()
  }

  #opener(parts: PoolParts): PoolOpener {
    const {
      limits,
      protocols,
      protocolPreference,
      connectTimeoutMs,
      defaultTimeoutMs,
      maxSessionsPerEndpoint,
    } = this.#options
    const options = { connectTimeoutMs, defaultTimeoutMs, maxSessions: maxSessionsPerEndpoint }
    const spoken = parts.protocols.filter(({ name }) => protocols?.includes(name) ?? true)
    return createPoolOpener(
      { ...parts, protocols: spoken },
      { limits, methods: this.#methods, options, protocolPreference },
    )
  }

  #open(service: string): Cluster {
    if (this.#state !== 'open') throw clientClosed()
    checkCalledName(service)
    return this.#cluster(service, undefined)
  }

  #cluster(service: string, version: string | undefined, method?: string): Cluster {
    const bare = service === '' && this.#clusters.size < maxClusters ? method : undefined
    // No service has a space in its name, and no method.
    const key =
      bare === undefined && version === undefined ? service : `${service} ${bare ?? ''} ${version ?? ''}`
    const known = this.#clusters.get(key)
    if (known !== undefined) return known
    const query = {
      service,
      ...(bare !== undefined && { method: bare }),
      ...this.#options.filters,
      ...(version !== undefined && { version }),
    }
    const cluster = new Cluster(query, this.#clusterRoom)
    this.#clusters.set(key, cluster)
    return cluster
  }

  *#known(): IterableIterator<Instance> {
    const seen = new Set<string>()
    for (const { snapshot } of this.#clusters.values()) {
      for (const [id, instance] of snapshot?.instances ?? []) {
        if (seen.has(id)) continue
        seen.add(id)
        yield instance
      }
    }
  }

  async #within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController()
    const { timeoutMs } = this.#options
    const stop = this.#clock.after(timeoutMs, () => {
      const message = `${this.#source.name} has not said within ${timeoutMs} ms who is there`
      abort.abort(new RpcError('deadline_exceeded', message, { phase: 'connect' }))
    })
    try {
      return await work(abort.signal)
    } finally {
      stop()
    }
  }
}
