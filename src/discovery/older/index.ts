// Registries of the older systems, for processes that live in a cluster which still has one.
export { createHeaderRegistrars, createHeaderResolvers } from './header.ts'
export { createLabHttpRegistrars, createLabHttpResolvers, type LabHttpOptions } from './lab-http.ts'
export { createLabTcpRegistrars, createLabTcpResolvers } from './lab-tcp.ts'
export type { OlderRegistryOptions } from './options.ts'
