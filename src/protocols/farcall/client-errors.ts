import { markNotExecuted, type Phase, RpcError } from '../../core/error.ts'
import type { Peer } from '../../core/peer.ts'

/** The phase of an error, where it has none of its own. */
export function inPhase(error: RpcError, phase: Phase): RpcError {
  if (error.phase !== undefined) return error
  const { code, message, details, reason, metadata, cause } = error
  return new RpcError(code, message, { details, reason, metadata, cause, phase })
}

/** A call that the peer, which drains, did not accept: it can be made elsewhere. */
export function notTaken(peer: string): RpcError {
  return markNotExecuted(
    new RpcError('unavailable', `${peer} is draining and did not take the call`, { phase: 'wait' }),
  )
}

/** A call whose connection was lost; whether it was executed is not known, unless `unsent` says so. */
export function lostCall(
  peer: string,
  phase: Phase,
  { reason, unsent }: { reason: RpcError | undefined; unsent: boolean },
): RpcError {
  const why = reason === undefined ? 'the connection ended' : reason.message
  const error = new RpcError(
    reason?.code ?? 'unavailable',
    `the connection to ${peer} was lost before the answer: ${why}`,
    { cause: reason, phase: reason?.phase ?? phase },
  )
  return unsent ? markNotExecuted(error) : error
}

/** A call that was given up before all of it was sent. */
export function unsentCall(reason: RpcError): RpcError {
  const { code, message } = reason
  return markNotExecuted(new RpcError(code, message, { cause: reason, phase: 'send' }))
}

/** A connection that the peer ended without a preface; of what it may mean, the likeliest. */
export function unanswered({ address, transport }: Peer): RpcError {
  const why =
    transport === 'tls'
      ? 'if it asks for client certificates, it may not trust ours'
      : transport === 'tcp'
        ? 'it may speak TLS alone (tls://), or another protocol'
        : 'it may speak another protocol'
  return new RpcError('unavailable', `${address} ended the connection without an answer: ${why}`, {
    phase: 'negotiate',
  })
}
