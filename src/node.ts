// Farcall on Node: the one place that knows which protocols, codecs, transports, balancers and registries there are.
// Read it first; everything else is reached from here.
import { Duplex } from 'node:stream'
import { balancers } from './balancers/index.ts'
import type { ClientOptions, FarcallClient } from './client/index.ts'
import { jsonCodec } from './codecs/json/index.ts'
import { msgpackCodec } from './codecs/msgpack/index.ts'
import type { Service } from './core/service.ts'
import { internalService } from './core/service.ts'
import { systemClock } from './core/system-clock.ts'
import { systemRandom } from './core/random.ts'
import {
  createHeaderRegistrars,
  createHeaderResolvers,
  createLabHttpRegistrars,
  createLabHttpResolvers,
  createLabTcpRegistrars,
  createLabTcpResolvers,
} from './discovery/older/index.ts'
import { registryRegistrars } from './discovery/registry-registrar.ts'
import { registryResolvers } from './discovery/registry-resolver.ts'
import { staticResolvers } from './discovery/static.ts'
import { createFarcall, type Farcall, type FarcallParts } from './farcall.ts'
import type { RetryOptions } from './layers/retry.ts'
import { createWarnings } from './logging/warnings.node.ts'
import { farcallProtocol } from './protocols/farcall/index.ts'
import { createConnectUnwrap, createGeerpcProtocol, geerpcProtocol } from './protocols/geerpc/index.ts'
import { goConnectRoute, showGoTypes } from './protocols/go-rpc/index.ts'
import { createHttpProtocol, httpProtocol } from './protocols/http/index.ts'
import { createJsonRpcProtocol, jsonRpcProtocol, jsonRpcRoute } from './protocols/json-rpc/index.ts'
import { labJsonProtocol } from './protocols/lab-json/index.ts'
import { labProtobufProtocol } from './protocols/lab-protobuf/index.ts'
import { createNetRpcProtocol, netRpcProtocol } from './protocols/net-rpc/index.ts'
import type { Protocol } from './protocols/protocol.ts'
import { createAllowList } from './registry/faces/allow-list.node.ts'
import {
  createRegistry,
  createRegistryFaces,
  type FacesOptions,
  type Registry,
  type RegistryFaces,
  type RegistryOptions,
} from './registry/index.ts'
import {
  type CloseOptions,
  createDebugRoutes,
  type HttpServeOptions,
  type ServeOptions as CoreServeOptions,
  type Server,
  type ServerView,
} from './server/index.ts'
import { processView } from './server/debug/process-view.node.ts'
import { localAddresses } from './server/local-addresses.node.ts'
import { readOwnLoad } from './server/own-load.node.ts'
import { createMemoryTransport } from './transports/memory.ts'
import { wireFromStream } from './transports/stream-wire.node.ts'
import { createTcpTransport } from './transports/tcp.node.ts'
import {
  createTlsTransport,
  createTlsUnwrap,
  type TlsClientOptions,
  type TlsServerOptions,
} from './transports/tls.node.ts'
import { createUnixTransport } from './transports/unix.node.ts'

export * from './index.ts'
export type {
  FaceOptions,
  FacesOptions,
  HeaderFaceOptions,
  JsonFaceOptions,
  RegistryOptions,
} from './registry/index.ts'
export { type Closable, stopOnSignals, type StopOptions } from './server/stop-on-signals.node.ts'
export type { TlsClientOptions, TlsServerOptions } from './transports/tls.node.ts'

/** What Farcall on Node is made of. A copy with other parts goes to {@link createFarcall}. */
export const nodeParts: FarcallParts = {
  clock: systemClock,
  random: systemRandom,
  // The order is that in which a client of ours prefers them. Those at the end are ways to dial: the servers of the ones
  // before them answer them too.
  protocols: [
    farcallProtocol,
    httpProtocol,
    jsonRpcProtocol,
    geerpcProtocol,
    netRpcProtocol,
    labJsonProtocol,
    labProtobufProtocol,
    createJsonRpcProtocol({ version: '1.0' }),
    createGeerpcProtocol({ http: true }),
    createGeerpcProtocol({ http: '/_myrpc_', name: 'myrpc-http' }),
    createNetRpcProtocol({ http: true }),
  ],
  serverProtocols: (server, options) => [serverHttp(server, options)],
  unwraps: [createConnectUnwrap()],
  transports: [createTcpTransport(), createUnixTransport(), createTlsTransport(), createMemoryTransport()],
  codecs: [msgpackCodec, jsonCodec],
  balancers,
  resolvers: [
    registryResolvers,
    staticResolvers,
    createLabHttpResolvers(),
    createLabTcpResolvers(),
    createHeaderResolvers(),
  ],
  registrars: [
    registryRegistrars,
    createLabHttpRegistrars(),
    createLabTcpRegistrars(),
    createHeaderRegistrars(),
  ],
  // As it is when it is used: whoever replaces the global one means us too.
  fetch: (url, init) => globalThis.fetch(url, init),
  // Warnings and errors only. Give `logger` for more: one of `farcall/logging`, pino's, or your own.
  logger: createWarnings(),
  localAddresses,
  ownLoad: readOwnLoad,
  wireFrom: (stream) => (stream instanceof Duplex ? wireFromStream(stream, { side: 'server' }) : undefined),
}

function serverHttp(server: () => ServerView | undefined, options: HttpServeOptions): Protocol {
  const { hosts, origins, debugToken, facts, routes = [] } = options
  return createHttpProtocol({
    hosts,
    origins,
    routes: [
      ...routes,
      jsonRpcRoute(),
      goConnectRoute(),
      ...createDebugRoutes({ server, debugToken, facts, readProcess: processView, typesOf: showGoTypes }),
    ],
  })
}

const farcall = createFarcall(nodeParts)

/** How a client connects; see {@link connect}. */
export interface ConnectOptions extends ClientOptions<RetryOptions> {
  /** For `tls://` targets: who is trusted, and our own certificate. */
  readonly tls?: TlsClientOptions
}

/**
 * A client of the services at a target: `registry://host:port`, an endpoint (`tcp://`, `tls://`, `unix:`, `memory:`), or
 * a list of endpoints. It returns at once and connects when it is first needed.
 * @throws RpcError `invalid_argument` for a target or an option that makes no sense.
 */
export function connect(target: string | readonly string[], options: ConnectOptions = {}): FarcallClient {
  const { tls, ...rest } = options
  return farcallFor(tls).connect(target, rest)
}

/** How a server serves; see {@link serve}. */
export interface ServeOptions extends Omit<CoreServeOptions, 'tls'> {
  /** Our certificate and key: then `host` and `port` speak TLS alone. */
  readonly tls?: TlsServerOptions
}

/**
 * Serves services at `host` and `port`, and registers them if `registry` is given. Resolves when it listens.
 * @throws RpcError that says what is wrong and what to do: `already_exists` for a busy port, `invalid_argument` for an
 * option that makes no sense.
 */
export async function serve(services: readonly Service[], options: ServeOptions = {}): Promise<Server> {
  // Async, so that options that make no sense reject as a busy port does.
  const { tls, ...rest } = options
  return farcall.serve(services, tls === undefined ? rest : { ...rest, tls: createTlsUnwrap(tls) })
}

/** A registry that is being served. */
export interface RegistryServer extends AsyncDisposable {
  readonly server: Server
  readonly registry: Registry
  /** Where it listens, as `tcp://127.0.0.1:9999`. */
  readonly targets: readonly string[]
  /** Ends it: watches, then connections, within a bounded time. Harmless if repeated. */
  close(options?: CloseOptions): Promise<void>
}

// A client watches each service that it uses in a stream of its own, all over one connection.
const registryLimits = { maxStreams: 10_000 }

/** How a registry is served: where it listens, and how much it holds. */
export interface StartRegistryOptions extends Omit<ServeOptions, 'registry' | 'ttlMs'> {
  readonly store?: RegistryOptions
  /** How it answers the peers of the older systems. Default: as each of their registries; `false`: not at all. */
  readonly faces?: FacesOptions | false
}

/**
 * Starts a registry: an ordinary server (port 9999 by default) with the service `farcall.registry`, which answers the
 * peers of the older systems as their own registries do.
 * @throws RpcError as {@link serve} does.
 */
export async function startRegistry(options: StartRegistryOptions = {}): Promise<RegistryServer> {
  const { store, faces: given, ...rest } = options
  const { clock, random, logger } = nodeParts
  const room = { clock, random, logger: options.logger ?? logger }
  const registry = createRegistry(room, store)
  const service = internalService('farcall.registry', registry.methods)
  try {
    const faces: RegistryFaces =
      given === false
        ? { routes: [], services: [] }
        : createRegistryFaces({ ...room, store: registry.store, createAllowList }, given)
    const server = await serve([service, ...faces.services], {
      port: 9999,
      ...rest,
      limits: { ...registryLimits, ...rest.limits },
      http: {
        ...rest.http,
        facts: () => ({ ...registry.facts(), ...rest.http?.facts?.() }),
        routes: [...(rest.http?.routes ?? []), ...faces.routes],
      },
    })
    return {
      server,
      registry,
      targets: server.targets,
      close: (closing) => closeBoth(server, registry, closing),
      [Symbol.asyncDispose]: () => closeBoth(server, registry),
    }
  } catch (error) {
    registry.close()
    throw error
  }
}

// The watches are streams without end: they go first, so that the server has nothing to wait for.
async function closeBoth(server: Server, registry: Registry, options?: CloseOptions): Promise<void> {
  registry.close()
  await server.close(options)
}

function farcallFor(tls: TlsClientOptions | undefined): Farcall {
  if (tls === undefined) return farcall
  const transports = nodeParts.transports.map((transport) =>
    transport.name === 'tls' ? createTlsTransport(tls) : transport,
  )
  return createFarcall({ ...nodeParts, transports })
}
