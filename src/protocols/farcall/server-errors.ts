import { RpcError } from '../../core/error.ts'

/** The peer asks for more at once than is allowed; `limit` names what says so. */
export function tooMany(what: string, limit: string): RpcError {
  return new RpcError('resource_exhausted', `${what}, and no more are allowed (limits.${limit})`)
}

export function tooManyStreams(open: number): RpcError {
  return tooMany(`${open} streams of this connection are open`, 'maxStreams')
}

/** The same for handlers, of which there are more than calls. */
export function tooManyRunning(count: number): RpcError {
  return tooMany(
    `${count} handlers of this connection are running, most of them for calls that were cancelled`,
    'maxCalls',
  )
}
