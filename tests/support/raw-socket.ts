import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { hostAndPort } from './older-systems.ts'

/** A connection that sends what it likes, and keeps what it is told. */
export interface RawSocket extends Disposable {
  readonly socket: Socket
  /** Resolves when the bytes were given to the system. */
  send(bytes: Uint8Array | string): Promise<void>
  /** Resolves with all that has come once it matches. Rejects when nothing can come any more. */
  until(pattern: RegExp): Promise<string>
  /** Resolves with all that has come when the server has ended the connection. */
  readonly gone: Promise<string>
}

/** Connects to `tcp://…`, and says nothing. */
export async function rawSocket(target: string): Promise<RawSocket> {
  const { host, port } = hostAndPort(target)
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  const socket = connect({ host: bare, port: Number(port), noDelay: true, allowHalfOpen: true })
  await once(socket, 'connect')
  // Bytes in gob are no text, and a text of one character a byte keeps them all.
  let heard = ''
  const ended = Promise.withResolvers<string>()
  const waiting = new Set<() => void>()
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text
    for (const look of waiting) look()
  })
  // A server that is gone in the middle of what we send is what tests with this are about.
  socket.on('error', () => {})
  socket.on('end', () => socket.destroy())
  socket.on('close', () => ended.resolve(heard))
  return {
    socket,
    gone: ended.promise,
    send: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(heard)) resolve(heard)
        }
        waiting.add(look)
        look()
        ended.promise.then(
          () => reject(new Error(`the connection has ended without ${pattern}: ${JSON.stringify(heard)}`)),
          reject,
        )
      }),
    [Symbol.dispose]: () => void socket.destroy(),
  }
}
