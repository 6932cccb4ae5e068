import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Server } from 'node:http'
import type { NodePeer } from '../harness/peer.ts'
import { use } from './packages.ts'
import { benchRouter, type TrpcClient } from './trpc-router.ts'

interface Standalone {
  createHTTPServer(options: { router: unknown; allowMethodOverride: boolean }): Server
}
interface TrpcClients {
  createTRPCClient(options: { links: unknown[] }): TrpcClient
  httpLink(options: { url: string; methodOverride: 'POST' }): unknown
}

export const peer: NodePeer = {
  kind: 'node',
  name: 'trpc-http',
  about: 'tRPC, standalone HTTP server and httpLink over fetch',
  packages: ['@trpc/server', '@trpc/client'],
  operations: ['add', 'text', 'nested'],
  async start() {
    const { createHTTPServer } = await use<Standalone>('@trpc/server/adapters/standalone')
    const server = createHTTPServer({ router: await benchRouter(), allowMethodOverride: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  },
  async connect(address) {
    const { createTRPCClient, httpLink } = await use<TrpcClients>('@trpc/client')
    // A POST, for an address cannot hold a text of 16 KiB.
    const client = createTRPCClient({ links: [httpLink({ url: address, methodOverride: 'POST' })] })
    return {
      add: (a, b) => client.add.query({ a, b }),
      text: (text) => client.text.query(text),
      nested: (value) => client.nested.query(value),
      close: () => {},
    }
  },
}
