import { createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import type { Address } from '../core/endpoint.ts'
import { detached } from '../core/context.ts'
import { RpcError } from '../core/error.ts'
import { readingSocket } from './reading-socket.node.ts'
import { listenError } from './system-error.ts'
import type { Listener } from './transport.ts'

export interface ListenRoom {
  /** Takes a new connection, which may be paused. */
  readonly accept: (socket: Socket) => void
  /** Told when a connection could not be accepted; listening goes on. */
  readonly report: (error: RpcError) => void
}

/**
 * Listens at an address of the system.
 * @throws RpcError that says why it cannot and what to do.
 */
export async function listenAt(at: Address, options: ListenOptions, room: ListenRoom): Promise<Server> {
  const server = detached(() => createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }))
  server.on('connection', (socket) => room.accept(readingSocket(socket)))
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error) => reject(listenError(at, error))
    server.once('error', failed)
    detached(() =>
      server.listen(options, () => {
        server.removeListener('error', failed)
        server.on('error', (error) => room.report(RpcError.from(error, 'resource_exhausted')))
        resolve()
      }),
    )
  })
  return server
}

/** A listener over a listening server of Node. */
export function listenerOf(server: Server, address: Address): Listener {
  let closing: Promise<void> | undefined
  const close = () =>
    (closing ??= new Promise<void>((resolve) => {
      // Its own callback waits for all connections; the address is free at once.
      server.close()
      setImmediate(resolve)
    }))
  return { address, close, [Symbol.asyncDispose]: close }
}
