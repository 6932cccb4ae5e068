import type { Clock } from '../../core/clock.ts'
import { RpcError } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import { listNames } from '../../core/names.ts'
import { isLocalPeer, type Peer } from '../../core/peer.ts'
import { guardLogger, LogGate } from '../../server/index.ts'
import { seenHost } from '../seen-host.ts'

/** Who may write through the faces of older registries. */
export interface Gate {
  /**
   * Carries out what a peer asks for, if it may; what is refused leaves a line in the log.
   * @throws RpcError `permission_denied` for a peer that may not, and what `write` throws.
   */
  admit<T>(peer: Peer | undefined, write: () => T): T
}

export interface GateInit {
  readonly clock: Clock
  readonly logger: Logger
  /** The ranges that `isAllowed` goes by, for messages. */
  readonly allow: readonly string[]
  readonly isAllowed: (host: string) => boolean
}

export function createGate({ clock, logger, allow, isAllowed }: GateInit): Gate {
  const lines = new LogGate(clock)
  const log = guardLogger(logger)

  function check(peer: Peer | undefined): void {
    // Who calls within this process has no connection.
    if (peer === undefined) return
    const seen = seenHost(peer)
    if (seen === undefined ? isLocalPeer(peer) : isAllowed(seen)) return
    const host = seen ?? peer.address
    const who = allow.length === 0 ? 'nobody' : `only ${listNames(allow)}`
    throw new RpcError(
      'permission_denied',
      `${host} may not register here in the way of the older systems, ${who} may; to let it, start the registry with faces: { allow: […, '${host}'] }, or farcall registry --allow … --allow ${host}`,
    )
  }

  function report(error: RpcError, peer: Peer | undefined): void {
    const who = peer?.address ?? 'a peer'
    // The parser of JSON shows what it does not understand as it is.
    const why = error.message.replace(/\p{Cc}/gu, '?')
    lines.pass((leftOut) => {
      const fields = { event: 'registry.refused', code: error.code, peer: who, ...leftOut }
      log.warn(fields, `refused a registration of ${who}: ${why}`)
    })
  }

  return {
    admit(peer, write) {
      try {
        check(peer)
        return write()
      } catch (thrown) {
        const error = RpcError.from(thrown)
        // What the store refuses it has logged.
        if (error.code === 'permission_denied' || error.code === 'invalid_argument') report(error, peer)
        throw error
      }
    },
  }
}
