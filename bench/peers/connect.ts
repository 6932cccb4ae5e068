import { Agent, createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Nested, NodePeer } from '../harness/peer.ts'
import { use } from './packages.ts'

interface Value<T> {
  readonly value: T
}
interface Client {
  add(pair: { a: number; b: number }): Promise<Value<number>>
  text(text: Value<string>): Promise<Value<string>>
  bytes(bytes: Value<Uint8Array>): Promise<Value<Uint8Array>>
  nested(value: Nested): Promise<Nested>
  count(upTo: Value<number>): AsyncIterable<Value<number>>
}
interface Connect {
  createClient(service: unknown, transport: unknown): Client
}
interface ConnectNode {
  connectNodeAdapter(options: { routes: (router: Router) => void }): RequestListener
  createConnectTransport(options: object): unknown
}
interface Router {
  service(service: unknown, implementation: object): void
}
interface Protobuf {
  fromBinary(schema: unknown, bytes: Uint8Array): unknown
  createFileRegistry(file: unknown, resolve: () => undefined): { getService(name: string): unknown }
}
interface FileDescription {
  readonly messageType: readonly { readonly field: readonly { typeName: string }[] }[]
}
type Definition = Readonly<Record<string, { readonly fileDescriptorProtos?: readonly Uint8Array[] }>>

/** The service's description, from the very file that grpc-js reads: no code is generated. */
async function benchService(): Promise<unknown> {
  const loader = await use<{ default: { loadSync(file: string): Definition } }>('@grpc/proto-loader')
  const definition = loader.default.loadSync(`${import.meta.dirname}/bench.proto`)
  const [file] = definition['bench.Pair']?.fileDescriptorProtos ?? []
  const { fromBinary, createFileRegistry } = await use<Protobuf>('@bufbuild/protobuf')
  const { FileDescriptorProtoSchema } = await use<{ FileDescriptorProtoSchema: unknown }>(
    '@bufbuild/protobuf/wkt',
  )
  const described = fromBinary(FileDescriptorProtoSchema, file as Uint8Array) as FileDescription
  // The loader leaves the types of fields relative; protobuf-es wants them whole.
  for (const { field } of described.messageType) {
    for (const each of field) if (each.typeName !== '') each.typeName = `.bench.${each.typeName}`
  }
  const registry = createFileRegistry(described, () => undefined)
  return registry.getService('bench.Bench')
}

const echo = (message: object) => message

export const peer: NodePeer = {
  kind: 'node',
  name: 'connect',
  about: 'Connect for Node: its own protocol over HTTP/1.1, protobuf-es',
  packages: ['@connectrpc/connect', '@connectrpc/connect-node', '@bufbuild/protobuf', '@grpc/proto-loader'],
  operations: ['add', 'text', 'bytes', 'nested', 'count'],
  async start() {
    const { connectNodeAdapter } = await use<ConnectNode>('@connectrpc/connect-node')
    const service = await benchService()
    const routes = (router: Router) =>
      router.service(service, {
        add: ({ a, b }: { a: number; b: number }) => ({ value: a + b }),
        text: echo,
        bytes: echo,
        nested: echo,
        async *count(upTo: Value<number>) {
          for (let value = 0; value < upTo.value; value++) yield { value }
        },
      })
    const server = createServer(connectNodeAdapter({ routes }))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  },
  async connect(address) {
    const { createClient } = await use<Connect>('@connectrpc/connect')
    const { createConnectTransport } = await use<ConnectNode>('@connectrpc/connect-node')
    const agent = new Agent({ keepAlive: true })
    const client = createClient(
      await benchService(),
      createConnectTransport({
        baseUrl: address,
        httpVersion: '1.1',
        useBinaryFormat: true,
        nodeOptions: { agent },
      }),
    )
    return {
      add: async (a, b) => (await client.add({ a, b })).value,
      text: async (value) => (await client.text({ value })).value,
      bytes: async (value) => (await client.bytes({ value })).value,
      nested: (value) => client.nested(value),
      async *count(upTo) {
        for await (const { value } of client.count({ value: upTo })) yield value
      },
      close: () => agent.destroy(),
    }
  },
}
