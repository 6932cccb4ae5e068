import { farcallPeer } from './farcall-service.ts'

export const peer = farcallPeer({ name: 'farcall', about: 'default options, everything on' })
