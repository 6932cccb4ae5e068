// The public face of Farcall, for every platform. What only Node has is added in node.ts.
export type { Balancer, BalancerRoom, Candidate, CandidateState, Picker } from './balancers/balancer.ts'
export {
  avoiding,
  balancers,
  consistentHash,
  type ConsistentHashOptions,
  p2c,
  random,
  roundRobin,
  smoothWeighted,
} from './balancers/index.ts'
export type { Load } from './balancers/load.ts'
export * from './client/index.ts'
export { jsonCodec } from './codecs/json/index.ts'
export { msgpackCodec } from './codecs/msgpack/index.ts'
export type { Arguments, Call, Outcome } from './core/call.ts'
export type { Clock } from './core/clock.ts'
export { type ErrorCode, errorCodes } from './core/code.ts'
export type { Codec, CodecSession } from './core/codec.ts'
export { currentCall, detached } from './core/context.ts'
export { describe, type MethodDescription, type ServiceDescription } from './core/describe.ts'
export { type Address, type Endpoint, formatEndpoint, parseEndpoint } from './core/endpoint.ts'
export { type Phase, RpcError, type RpcErrorJson, type RpcErrorOptions } from './core/error.ts'
export type { Instance, ServiceEntry } from './core/instance.ts'
export type { Handler, Layer, Reply } from './core/layer.ts'
export { defaultLimits, type Limits } from './core/limits.ts'
export { type Logger, type LogLevel, silentLogger } from './core/log.ts'
export { Metadata } from './core/metadata.ts'
export { type MethodDefinition, type MethodOptions, method } from './core/method.ts'
export type { MethodInfo } from './core/method-info.ts'
export type { Peer } from './core/peer.ts'
export { type Random, seededRandom, systemRandom } from './core/random.ts'
export type { Schema, SchemaIssue } from './core/schema.ts'
export { type Service, service } from './core/service.ts'
export type { Stream } from './core/stream.ts'
export { systemClock } from './core/system-clock.ts'
export type { Query, Resolver, Snapshot } from './discovery/resolver.ts'
export type { Registrar, Registration } from './discovery/registrar.ts'
export { staticResolvers } from './discovery/static.ts'
export type { DiscoveryRoom, Fetch, RegistrarFactory, ResolverFactory } from './discovery/source.ts'
export type {
  AdaptWeightOptions,
  CloseOptions,
  ConnectionStats,
  Facts,
  HttpServeOptions,
  LoadReading,
  MethodStats,
  RegistryStatus,
  Server,
  ServerState,
  ServerStats,
} from './server/index.ts'
export { createFarcall, type Farcall, type FarcallParts } from './farcall.ts'
export * from './layers/index.ts'
export { farcallClientProtocol, farcallProtocol } from './protocols/farcall/index.ts'
export type { HttpRequest, HttpResponse, HttpRoute } from './protocols/http-route.ts'
export type { ByteStream, DialOptions, Transport, Wire } from './transports/transport.ts'
export type { Unwrap } from './transports/unwrap.ts'
