import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Nested, NodePeer } from '../harness/peer.ts'
import { use } from './packages.ts'

interface Procedure {
  handler(fn: (options: { input: unknown }) => unknown): unknown
}
interface OrpcServer {
  readonly os: Procedure
}
interface WsHandlers {
  readonly RPCHandler: new (router: object) => { upgrade(socket: unknown, options: object): Promise<void> }
}
interface Client {
  add(input: { a: number; b: number }): Promise<number>
  text(input: string): Promise<string>
  nested(input: Nested): Promise<Nested>
  count(upTo: number): Promise<AsyncIterable<number>>
}
interface Links {
  readonly RPCLink: new (options: { websocket: WebSocket }) => unknown
}
interface Clients {
  createORPCClient(link: unknown): Client
}
interface Ws {
  readonly WebSocketServer: new (options: {
    port: number
    host: string
  }) => NodeJS.EventEmitter & {
    address(): unknown
  }
  readonly WebSocket: new (url: string) => WebSocket & NodeJS.EventEmitter
}

export const peer: NodePeer = {
  kind: 'node',
  name: 'orpc',
  about: 'oRPC over WebSocket (ws)',
  packages: ['@orpc/server', '@orpc/client', 'ws'],
  operations: ['add', 'text', 'nested', 'count'],
  async start() {
    const { os } = await use<OrpcServer>('@orpc/server')
    const { RPCHandler } = await use<WsHandlers>('@orpc/server/ws')
    const { WebSocketServer } = await use<Ws>('ws')
    const handler = new RPCHandler({
      add: os.handler(({ input }) => {
        const { a, b } = input as { a: number; b: number }
        return a + b
      }),
      text: os.handler(({ input }) => input),
      nested: os.handler(({ input }) => input),
      count: os.handler(async function* ({ input }) {
        for (let i = 0; i < (input as number); i++) yield i
      }),
    })
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    server.on('connection', (socket) => void handler.upgrade(socket, { context: {} }))
    await once(server, 'listening')
    return { address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` }
  },
  async connect(address) {
    const { createORPCClient } = await use<Clients>('@orpc/client')
    const { RPCLink } = await use<Links>('@orpc/client/websocket')
    const { WebSocket } = await use<Ws>('ws')
    const websocket = new WebSocket(address)
    await once(websocket, 'open')
    const client = createORPCClient(new RPCLink({ websocket }))
    return {
      add: (a, b) => client.add({ a, b }),
      text: (text) => client.text(text),
      nested: (value) => client.nested(value),
      async *count(upTo) {
        yield* await client.count(upTo)
      },
      close: () => websocket.close(),
    }
  },
}
