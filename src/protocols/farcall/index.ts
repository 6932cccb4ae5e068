export { farcallClientProtocol } from './client-protocol.ts'
export { farcallProtocol } from './farcall.ts'
