import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Nested, NodePeer } from '../harness/peer.ts'
import { use } from './packages.ts'

interface Stub {
  add(a: number, b: number): PromiseLike<number>
  text(text: string): PromiseLike<string>
  nested(value: Nested): PromiseLike<Nested>
}
interface Capnweb {
  readonly RpcTarget: new () => object
  newWebSocketRpcSession(socket: unknown, main?: unknown): Stub
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
  name: 'capnweb',
  about: "Cloudflare's capnweb over WebSocket (ws)",
  packages: ['capnweb', 'ws'],
  operations: ['add', 'text', 'nested'],
  async start() {
    const { RpcTarget, newWebSocketRpcSession } = await use<Capnweb>('capnweb')
    const { WebSocketServer } = await use<Ws>('ws')
    class Bench extends RpcTarget {
      add(a: number, b: number) {
        return a + b
      }
      text(text: string) {
        return text
      }
      nested(value: Nested) {
        return value
      }
    }
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    server.on('connection', (socket) => newWebSocketRpcSession(socket, new Bench()))
    await once(server, 'listening')
    return { address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` }
  },
  async connect(address) {
    const { newWebSocketRpcSession } = await use<Capnweb>('capnweb')
    const { WebSocket } = await use<Ws>('ws')
    const socket = new WebSocket(address)
    await once(socket, 'open')
    const stub = newWebSocketRpcSession(socket)
    return {
      add: (a, b) => stub.add(a, b),
      text: (text) => stub.text(text),
      nested: (value) => stub.nested(value),
      close: () => socket.close(),
    }
  },
}
