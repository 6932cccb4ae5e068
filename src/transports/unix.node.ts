import { access, lstat, unlink } from 'node:fs/promises'
import type { Server, Socket } from 'node:net'
import { dirname } from 'node:path'
import { type Address, formatAddress } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import { dialSocket } from './dial.node.ts'
import { listenAt, listenerOf, type ListenRoom } from './listen.node.ts'
import { ReadingSocket } from './reading-socket.node.ts'
import { SocketWire } from './socket-wire.node.ts'
import { listenError } from './system-error.ts'
import type { TcpTransportOptions } from './tcp.node.ts'
import type { Transport } from './transport.ts'

// The size of sun_path, less its final zero.
const maxPathBytes = process.platform === 'linux' ? 107 : 103

/**
 * Sockets in the file system, for peers on the same machine. A socket file that a dead process left behind is
 * replaced; closing the listener removes the file.
 */
export function createUnixTransport(options: TcpTransportOptions = {}): Transport {
  const { flushPolicy, report = () => {} } = options
  return {
    name: 'unix',
    async dial(to, signal) {
      const path = pathOf(to)
      const socket = await dialSocket(to, { path }, signal, ReadingSocket)
      return new SocketWire(socket, { transport: 'unix', address: path }, { side: 'client', flushPolicy })
    },
    async listen(at, accept) {
      const path = pathOf(at)
      let accepted = 0
      const take = (socket: Socket) => {
        // The other end has no address of its own; a number tells the peers of a log apart.
        const peer = { transport: 'unix', address: `${path}#${++accepted}`, localAddress: path }
        accept(new SocketWire(socket, peer, { side: 'server', flushPolicy }))
      }
      return listenerOf(await listenReplacing(at, path, { accept: take, report }), {
        transport: 'unix',
        path,
      })
    },
  }
}

async function listenReplacing(at: Address, path: string, room: ListenRoom): Promise<Server> {
  try {
    return await listenAt(at, { path }, room)
  } catch (error) {
    if (!RpcError.is(error)) throw error
    // The system says EACCES of a folder that is not there, too.
    if (error.code === 'permission_denied')
      await access(dirname(path)).catch((cause: unknown) => Promise.reject(listenError(at, cause)))
    if (error.code !== 'already_exists' || !(await isLeftBehind(at, path))) throw error
  }
  await unlink(path)
  return listenAt(at, { path }, room)
}

/** Whether a socket file is there that nobody listens at. */
async function isLeftBehind(at: Address, path: string): Promise<boolean> {
  const found = await lstat(path)
  if (!found.isSocket()) {
    throw new RpcError('already_exists', `${path} is a file and no socket; choose another path, or remove it`)
  }
  return dialSocket(at, { path }, AbortSignal.timeout(1000)).then(
    (socket) => {
      socket.destroy()
      return false
    },
    // Busy or not allowed is not dead.
    (error: unknown) => RpcError.is(error) && /ECONNREFUSED|ENOENT/.test(error.message),
  )
}

function pathOf(address: Address): string {
  if (address.transport !== 'unix') {
    throw new RpcError('invalid_argument', `the unix transport does not reach ${formatAddress(address)}`)
  }
  const { path } = address
  const bytes = Buffer.byteLength(path)
  if (bytes > maxPathBytes) {
    throw new RpcError(
      'invalid_argument',
      `the socket path ${path} has ${bytes} bytes, the system allows ${maxPathBytes}; choose a shorter one`,
    )
  }
  return path
}
