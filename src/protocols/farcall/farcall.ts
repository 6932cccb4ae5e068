import { detectPrefix } from '../../core/detect.ts'
import type { ClientProtocol, Protocol } from '../protocol.ts'
import { farcallClientProtocol } from './client-protocol.ts'
import { magic } from './preface.ts'
import { acceptFarcall } from './server.ts'

/** Our own protocol: binary, multiplexed, with streams, credit, cancelling, deadlines, metadata and draining. See SPEC.md. */
export const farcallProtocol: Protocol = /* @__PURE__ */ withServer(farcallClientProtocol)

// Called and not written out, for a bundler believes of a call that it does nothing else, if it is told so.
function withServer(client: ClientProtocol): Protocol {
  return { ...client, detect: detectPrefix(magic), accept: acceptFarcall }
}
