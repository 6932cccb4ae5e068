import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { NodePeer } from '../harness/peer.ts'
import { iterate } from './items.ts'
import { use } from './packages.ts'
import { benchRouter, type TrpcClient } from './trpc-router.ts'

interface WsServer {
  once(event: 'listening', listener: () => void): unknown
  on(event: string, listener: () => void): unknown
  address(): unknown
}
interface Ws {
  readonly WebSocketServer: new (options: { port: number; host: string }) => WsServer & NodeJS.EventEmitter
}
interface Adapter {
  applyWSSHandler(options: { wss: unknown; router: unknown }): unknown
}
interface TrpcClients {
  createTRPCClient(options: { links: unknown[] }): TrpcClient
  createWSClient(options: { url: string }): { close(): void }
  wsLink(options: { client: unknown }): unknown
}

export const peer: NodePeer = {
  kind: 'node',
  name: 'trpc-ws',
  about: 'tRPC over WebSocket (ws), wsLink',
  packages: ['@trpc/server', '@trpc/client', 'ws'],
  operations: ['add', 'text', 'nested', 'count'],
  async start() {
    const { WebSocketServer } = await use<Ws>('ws')
    const { applyWSSHandler } = await use<Adapter>('@trpc/server/adapters/ws')
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    applyWSSHandler({ wss, router: await benchRouter() })
    await once(wss, 'listening')
    return { address: `ws://127.0.0.1:${(wss.address() as AddressInfo).port}` }
  },
  async connect(address) {
    const { createTRPCClient, createWSClient, wsLink } = await use<TrpcClients>('@trpc/client')
    const socket = createWSClient({ url: address })
    const client = createTRPCClient({ links: [wsLink({ client: socket })] })
    return {
      add: (a, b) => client.add.query({ a, b }),
      text: (text) => client.text.query(text),
      nested: (value) => client.nested.query(value),
      count: (upTo) =>
        iterate<number>(({ item, end }) => {
          const { unsubscribe } = client.count.subscribe(upTo, {
            onData: item,
            onComplete: end,
            onError: end,
          })
          return unsubscribe
        }),
      close: () => socket.close(),
    }
  },
}
