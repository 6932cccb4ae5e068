import { farcallPeer } from './farcall-service.ts'

export const peer = farcallPeer({
  name: 'farcall-coalesce',
  about: 'the same with full coalescing: one write per connection and turn',
  flushPolicy: 'coalesce',
})
