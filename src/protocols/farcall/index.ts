export { farcallProtocol } from './farcall.ts'
