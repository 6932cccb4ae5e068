import { spawn } from 'node:child_process'
import { connect as connectSocket, createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { programPath } from '../harness/programs.ts'
import type { Nested, NodePeer } from '../harness/peer.ts'
import { use } from './packages.ts'

interface Message {
  readonly data: Uint8Array
  respond(data: string | Uint8Array): boolean
  json<T>(): T
  string(): string
}
interface Nats {
  connect(options: { servers: string; noEcho?: boolean }): Promise<{
    subscribe(subject: string, options: { callback(error: Error | null, message: Message): void }): unknown
    request(subject: string, data: string | Uint8Array, options: object): Promise<Message>
    close(): Promise<void>
  }>
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const socket = connectSocket(port, '127.0.0.1')
    const isOpen = await new Promise((resolve) => {
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('nats-server does not listen')
}

export const peer: NodePeer = {
  kind: 'node',
  name: 'nats',
  about: 'request and reply over nats-server, JSON; two hops, the CPU of nats-server counts as the server’s',
  packages: ['@nats-io/transport-node'],
  program: 'nats-server',
  operations: ['add', 'text', 'bytes', 'nested'],
  async start() {
    const port = await freePort()
    const broker = spawn(programPath('nats-server'), ['-a', '127.0.0.1', '-p', String(port)], {
      stdio: 'ignore',
    })
    await untilListening(port)
    const { connect } = await use<Nats>('@nats-io/transport-node')
    const address = `127.0.0.1:${port}`
    const connection = await connect({ servers: address })
    connection.subscribe('add', {
      callback(_, message) {
        const { a, b } = message.json<{ a: number; b: number }>()
        message.respond(JSON.stringify(a + b))
      },
    })
    connection.subscribe('echo', { callback: (_, message) => void message.respond(message.data) })
    connection.subscribe('json', {
      callback: (_, message) => void message.respond(JSON.stringify(message.json())),
    })
    return { address, pids: [broker.pid as number] }
  },
  async connect(address) {
    const { connect } = await use<Nats>('@nats-io/transport-node')
    const connection = await connect({ servers: address })
    const options = { timeout: 10_000 }
    return {
      add: async (a, b) =>
        (await connection.request('add', JSON.stringify({ a, b }), options)).json<number>(),
      text: async (text) => (await connection.request('json', JSON.stringify(text), options)).json<string>(),
      bytes: async (bytes) => (await connection.request('echo', bytes, options)).data,
      nested: async (value) =>
        (await connection.request('json', JSON.stringify(value), options)).json<Nested>(),
      close: () => connection.close(),
    }
  },
}
