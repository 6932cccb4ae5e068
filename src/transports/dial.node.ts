import { type NetConnectOpts, Socket, type SocketConstructorOpts } from 'node:net'
import { detached } from '../core/context.ts'
import type { Address } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import { connectError } from './system-error.ts'

/** How a socket is made. */
export type SocketClass = new (options: SocketConstructorOpts) => Socket

/**
 * Opens a socket; nothing of it belongs to the call in which that happens.
 * @throws RpcError `unavailable` in phase `connect`, or the signal's reason; then nothing is left open.
 */
export function dialSocket(
  to: Address,
  options: NetConnectOpts,
  signal: AbortSignal,
  Made: SocketClass = Socket,
): Promise<Socket> {
  return detached(
    () =>
      new Promise<Socket>((resolve, reject) => {
        if (signal.aborted) return reject(abortError(signal))
        // Some options are the constructor's, `noDelay` among them.
        const socket = new Made({ ...options, allowHalfOpen: true }).connect(options)
        const stop = () => {
          socket.destroy()
          reject(abortError(signal))
        }
        const failed = (error: Error) => {
          signal.removeEventListener('abort', stop)
          reject(connectError(to, error))
        }
        signal.addEventListener('abort', stop, { once: true })
        socket.once('error', failed)
        // A socket that is destroyed while it connects may report an error afterwards; it has been told already.
        socket.on('error', () => {})
        socket.once('connect', () => {
          signal.removeEventListener('abort', stop)
          socket.removeListener('error', failed)
          if (!signal.aborted) resolve(socket)
        })
      }),
  )
}

/** What a signal says when it stops a dial. */
export function abortError(signal: AbortSignal): RpcError {
  return RpcError.from(signal.reason, 'cancelled', 'connect')
}
