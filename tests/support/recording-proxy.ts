import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What passed on one connection, in order: lines of `>` (from the client) or `<` and hex, or `end`. */
export interface Recording {
  readonly lines: readonly string[]
  /** Resolves when bytes with this hex have passed within one chunk. */
  until(hex: string): Promise<void>
  /** Resolves when both directions have ended. */
  readonly over: Promise<void>
}

/** Stands between a client and a server, and writes down what they say. */
export interface RecordingProxy extends AsyncDisposable {
  /** Dial this instead. */
  readonly target: string
  readonly recordings: readonly Recording[]
}

/** Starts a proxy in front of `tcp://host:port`. Bytes are written down before they are passed on. */
export async function recordingProxy(target: string): Promise<RecordingProxy> {
  const { hostname, port } = new URL(target.replace('tcp:', 'http:'))
  const recordings: Recording[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    const lines: string[] = []
    const waiting = new Set<() => void>()
    const write = (line: string) => {
      lines.push(line)
      for (const look of waiting) look()
    }
    const until = (hex: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (lines.some((line) => line.includes(hex))) resolve()
        }
        waiting.add(look)
        look()
      })
    const over = Promise.all([pass(client, upstream, '>', write), pass(upstream, client, '<', write)])
    recordings.push({ lines, until, over: over.then(() => {}) })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true).on('close', () => sockets.delete(socket))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    target: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    recordings,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function pass(from: Socket, to: Socket, mark: '>' | '<', write: (line: string) => void): Promise<void> {
  return new Promise((resolve) => {
    from.on('data', (chunk: Buffer) => {
      write(`${mark} ${chunk.toString('hex')}`)
      // Backpressure passes through, or the two sides would not feel each other's.
      if (!to.write(chunk)) from.pause()
    })
    to.on('drain', () => from.resume())
    from.on('end', () => {
      write(`${mark} end`)
      to.end()
    })
    from.on('error', () => to.destroy())
    from.on('close', () => {
      if (!from.readableEnded) to.destroy()
      resolve()
    })
  })
}
