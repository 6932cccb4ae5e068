import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { NodePeer } from '../harness/peer.ts'

// What can be reached at all: a server that gives every chunk back, and a client that makes one promise per message and
// takes the replies in order. Messages have no frame, no id and no codec; 32 bytes for small ones.

const smallBytes = 32
const bufferBytes = 64 * 1024

type Settle = (message: Buffer) => void

class RawConnection {
  readonly #write: (bytes: Buffer) => boolean
  readonly #waiting: { readonly size: number; readonly settle: Settle }[] = []
  #first = 0
  #held: Buffer | undefined
  #out = Buffer.allocUnsafeSlow(bufferBytes)
  #at = 0
  readonly #flush = () => {
    if (!this.#write(this.#out.subarray(0, this.#at))) this.#out = Buffer.allocUnsafeSlow(bufferBytes)
    this.#at = 0
  }

  /** `write` tells whether the system has taken all at once. */
  constructor(write: (bytes: Buffer) => boolean) {
    this.#write = write
  }

  readonly add = (a: number, b: number): Promise<number> => {
    const at = this.#room(smallBytes)
    this.#out.writeUInt32LE(a, at)
    this.#out.writeUInt32LE(b, at + 4)
    return this.#reply(smallBytes, (message) => message.readUInt32LE(0) + message.readUInt32LE(4))
  }

  // Also what stands for `text`: the limit converts nothing.
  readonly bytes = (bytes: Uint8Array): Promise<Uint8Array> => {
    if (bytes.length > bufferBytes) {
      if (this.#at > 0) this.#flush()
      this.#write(bytes as Buffer)
    } else {
      const at = this.#room(bytes.length)
      this.#out.set(bytes, at)
    }
    return this.#reply(bytes.length, (message) => message)
  }

  readonly receive = (chunk: Buffer): void => {
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk])
    let at = 0
    for (;;) {
      const next = this.#waiting[this.#first]
      if (next === undefined || at + next.size > bytes.length) break
      next.settle(bytes.subarray(at, at + next.size))
      at += next.size
      if (++this.#first === 1024) this.#first = this.#waiting.splice(0, 1024).length - 1024
    }
    this.#held = at < bytes.length ? bytes.subarray(at) : undefined
  }

  #reply<T>(size: number, read: (message: Buffer) => T): Promise<T> {
    return new Promise((resolve) => {
      this.#waiting.push({ size, settle: (message) => resolve(read(message)) })
    })
  }

  #room(size: number): number {
    if (this.#at + size > bufferBytes) this.#flush()
    if (this.#at === 0) process.nextTick(() => this.#at > 0 && this.#flush())
    const at = this.#at
    this.#at += size
    return at
  }
}

export const peer: NodePeer = {
  kind: 'node',
  name: 'raw',
  about: 'net sockets, an echo with one promise per message: the limit',
  packages: [],
  operations: ['add', 'text', 'bytes'],
  async start() {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('data', (chunk) => socket.write(chunk))
      socket.on('error', () => {})
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { address: String((server.address() as AddressInfo).port) }
  },
  async connect(address) {
    const socket = connect({ port: Number(address), host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    const connection = new RawConnection((bytes) => {
      socket.write(bytes)
      return socket.writableLength === 0
    })
    socket.on('data', connection.receive)
    const { add, bytes } = connection
    // Strings are sent as the bytes that they are; what is compared is the string that was sent.
    const sent = new Map<string, Buffer>()
    const text = async (value: string): Promise<string> => {
      const encoded = sent.get(value) ?? Buffer.from(value)
      sent.set(value, encoded)
      const reply = await bytes(encoded)
      return reply.length === encoded.length ? value : ''
    }
    return { add, bytes, text, close: () => socket.destroy() }
  },
}
