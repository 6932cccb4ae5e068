import { RpcError } from '../../core/error.ts'

/** The peer asks for more at once than is allowed; `limit` names what says so. */
export function tooMany(what: string, limit: string): RpcError {
  return new RpcError('resource_exhausted', `${what}, and no more are allowed (limits.${limit})`)
}

export function tooManyStreams(open: number): RpcError {
  return tooMany(`${open} streams of this connection are open`, 'maxStreams')
}
