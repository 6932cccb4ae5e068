import { detectPrefix } from '../../core/detect.ts'
import type { Protocol } from '../protocol.ts'
import { dialFarcall } from './client.ts'
import { magic } from './preface.ts'
import { acceptFarcall } from './server.ts'

/** Our own protocol: binary, multiplexed, with streams, credit, cancelling, deadlines, metadata and draining. See SPEC.md. */
export const farcallProtocol: Protocol = {
  name: 'farcall',
  alpn: ['farcall'],
  detect: detectPrefix(magic),
  can: { streams: true, metadata: true, cancel: true, deadline: true, calls: 'many' },
  accept: acceptFarcall,
  dial: dialFarcall,
}
