import { createFarcall, type Farcall } from '../../src/farcall.ts'
import { method, nodeParts, type Layer, service, type Service } from '../../src/node.ts'
import type { FlushPolicy } from '../../src/transports/output.ts'
import { createTcpTransport } from '../../src/transports/tcp.node.ts'
import type { Connection, Nested, NodePeer } from '../harness/peer.ts'

const functions = {
  add: (a: number, b: number) => a + b,
  text: (text: string) => text,
  bytes: (bytes: Uint8Array) => bytes,
  nested: (value: Nested) => value,
  async *count(upTo: number) {
    for (let i = 0; i < upTo; i++) yield i
  },
}
export const bench = service('bench', functions)

/** The same, with a schema for each parameter of `add`. */
export function withSchemas(number: Parameters<typeof method>[0]): Service {
  return service('bench', { ...functions, add: method(number, functions.add) })
}

/** In what a variant differs from Farcall as it comes. */
export interface Variant {
  readonly name: string
  readonly about: string
  readonly operations?: NodePeer['operations']
  readonly flushPolicy?: FlushPolicy
  readonly serverLayers?: readonly Layer[]
  readonly service?: () => Promise<Service> | Service
}

/** Farcall with default options: deadline, retry, balancer, context, statistics, limits, msgpack. */
export function farcallPeer(variant: Variant): NodePeer {
  const { name, about, operations = ['add', 'text', 'bytes', 'nested', 'count'] } = variant
  const made: Farcall =
    variant.flushPolicy === undefined
      ? createFarcall(nodeParts)
      : createFarcall({
          ...nodeParts,
          transports: [createTcpTransport({ flushPolicy: variant.flushPolicy })],
        })
  return {
    kind: 'node',
    name,
    about,
    packages: [],
    operations,
    async start() {
      const served = (await variant.service?.()) ?? bench
      const server = await made.serve([served], { port: 0, layers: variant.serverLayers })
      return { address: server.targets[0] as string }
    },
    async connect(address) {
      const client = made.connect(address)
      const { add, text, bytes, nested, count } = client.service<typeof bench>('bench')
      await add(1, 2)
      const connection: Connection = { add, text, bytes, nested, count, close: () => client.close() }
      return connection
    },
  }
}
