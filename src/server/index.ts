export type { AdaptWeightOptions } from './adapt-weight.ts'
export type { RegistryStatus } from './announcer.ts'
export type { ConnectionStats } from './connections.ts'
export type { Latency } from './histogram.ts'
export { guardLogger } from './guard-logger.ts'
export { LogGate } from './log-gate.ts'
export type { Facts, HttpServeOptions, ServeOptions } from './options.ts'
export type { LoadReading } from './own-load.ts'
export type { ServerParts } from './parts.ts'
export { createServer } from './serve.ts'
export type { CloseOptions, Server, ServerState, ServerStats } from './server.ts'
export type { MethodStats } from './stats.ts'
export {
  createDebugRoutes,
  type DebugReport,
  type DebugRoutesOptions,
  type MethodReport,
  type ProcessView,
  type ServerView,
} from './debug/index.ts'
