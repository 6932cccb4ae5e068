import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import type { Nested, NodePeer } from '../harness/peer.ts'
import { use } from './packages.ts'

interface Broker {
  createService(service: object): unknown
  start(): Promise<void>
  stop(): Promise<void>
  waitForServices(name: string): Promise<void>
  call<T>(action: string, params: object): Promise<T>
}
interface Moleculer {
  readonly default: { readonly ServiceBroker: new (options: object) => Broker }
}
interface Call {
  readonly params: { a: number; b: number; value: unknown }
}

/** Nodes find each other by a list: discovery by UDP is left out. */
function options(nodeID: string, port: number, urls: readonly string[]): object {
  const transporter = { type: 'TCP', options: { udpDiscovery: false, port, urls } }
  return { nodeID, transporter, logger: false, registry: { preferLocal: false } }
}

let connections = 0

export const peer: NodePeer = {
  kind: 'node',
  name: 'moleculer-tcp',
  about: 'moleculer, TCP transporter, JSON',
  packages: ['moleculer'],
  operations: ['add', 'text', 'nested'],
  async start() {
    const { ServiceBroker } = (await use<Moleculer>('moleculer')).default
    // It must know its port beforehand.
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as AddressInfo
    await new Promise((resolve) => probe.close(resolve))
    const broker = new ServiceBroker(options('server', port, []))
    broker.createService({
      name: 'bench',
      actions: {
        add: ({ params }: Call) => params.a + params.b,
        text: ({ params }: Call) => params.value,
        nested: ({ params }: Call) => params.value,
      },
    })
    await broker.start()
    return { address: `127.0.0.1:${port}` }
  },
  async connect(address) {
    const { ServiceBroker } = (await use<Moleculer>('moleculer')).default
    const id = `client-${process.pid}-${connections++}`
    const broker = new ServiceBroker(options(id, 0, [`tcp://${address}/server`]))
    await broker.start()
    await broker.waitForServices('bench')
    return {
      add: (a, b) => broker.call<number>('bench.add', { a, b }),
      text: (value) => broker.call<string>('bench.text', { value }),
      nested: (value) => broker.call<Nested>('bench.nested', { value }),
      close: () => broker.stop(),
    }
  },
}
