// The client's face for the rest of the house.

export type { CloseOptions, FarcallClient, PickOptions } from './client.ts'
export { type ClientParts, createClient } from './connect.ts'
export type { EndpointStatus } from './pool.ts'
export { createLink, createReach } from './link.ts'
export { type Completion, type CompletionQueue, completionQueue } from './completion-queue.ts'
export type { ClientOptions } from './options.ts'
export type { ClientStatus, EndpointView, ServiceStatus } from './status.ts'
export * from './types.ts'
