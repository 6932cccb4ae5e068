import type { Nested, NodePeer } from '../harness/peer.ts'
import { use } from './packages.ts'

interface Value<T> {
  readonly value: T
}
type Done<T> = (error: Error | null, reply: T) => void
type Unary<Request, Reply> = (request: Request, done: Done<Reply>) => void

interface Stub {
  Add: Unary<{ a: number; b: number }, Value<number>>
  Text: Unary<Value<string>, Value<string>>
  Bytes: Unary<Value<Uint8Array>, Value<Uint8Array>>
  Nested: Unary<Nested, Nested>
  Count(request: Value<number>): AsyncIterable<Value<number>>
  close(): void
}

type Incoming<T> = { readonly request: T }
interface ItemWriter extends Incoming<Value<number>> {
  write(item: Value<number>): boolean
  once(event: 'drain', listener: () => void): void
  end(): void
}

interface Grpc {
  readonly Server: new () => {
    addService(service: unknown, handlers: object): void
    bindAsync(address: string, credentials: unknown, done: Done<number>): void
  }
  readonly ServerCredentials: { createInsecure(): unknown }
  readonly credentials: { createInsecure(): unknown }
  loadPackageDefinition(definition: unknown): {
    bench: {
      Bench: { new (address: string, credentials: unknown, options: object): Stub; service: unknown }
    }
  }
}

async function load() {
  const grpc = await use<{ default: Grpc }>('@grpc/grpc-js')
  const loader = await use<{ default: { loadSync(file: string, options: object): unknown } }>(
    '@grpc/proto-loader',
  )
  const definition = loader.default.loadSync(`${import.meta.dirname}/bench.proto`, {
    keepCase: true,
    defaults: true,
  })
  return { grpc: grpc.default, Bench: grpc.default.loadPackageDefinition(definition).bench.Bench }
}

/** A promise of what comes to the callback. */
function promised<T, Reply>(call: (done: Done<T>) => void, take: (reply: T) => Reply): Promise<Reply> {
  return new Promise((resolve, reject) => {
    call((error, reply) => (error === null ? resolve(take(reply)) : reject(error)))
  })
}

const echo = <T>({ request }: Incoming<T>, done: Done<T>) => done(null, request)

export const peer: NodePeer = {
  kind: 'node',
  name: 'grpc-js',
  about: '@grpc/grpc-js with proto-loader',
  packages: ['@grpc/grpc-js', '@grpc/proto-loader'],
  operations: ['add', 'text', 'bytes', 'nested', 'count'],
  async start() {
    const { grpc, Bench } = await load()
    const server = new grpc.Server()
    server.addService(Bench.service, {
      Add: ({ request: { a, b } }: Incoming<{ a: number; b: number }>, done: Done<Value<number>>) =>
        done(null, { value: a + b }),
      Text: echo,
      Bytes: echo,
      Nested: echo,
      async Count(call: ItemWriter) {
        for (let value = 0; value < call.request.value; value++) {
          if (!call.write({ value })) await new Promise<void>((resolve) => call.once('drain', resolve))
        }
        call.end()
      },
    })
    const port = await promised<number, number>(
      (done) => server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), done),
      (bound) => bound,
    )
    return { address: `127.0.0.1:${port}` }
  },
  async connect(address) {
    const { grpc, Bench } = await load()
    // Without a pool of its own a client would share the connection of all the others to this address.
    const stub = new Bench(address, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    })
    return {
      add: (a, b) =>
        promised<Value<number>, number>(
          (done) => stub.Add({ a, b }, done),
          ({ value }) => value,
        ),
      text: (value) =>
        promised<Value<string>, string>(
          (done) => stub.Text({ value }, done),
          (r) => r.value,
        ),
      bytes: (value) =>
        promised<Value<Uint8Array>, Uint8Array>(
          (done) => stub.Bytes({ value }, done),
          (r) => r.value,
        ),
      nested: (value) =>
        promised<Nested, Nested>(
          (done) => stub.Nested(value, done),
          (reply) => reply,
        ),
      async *count(upTo) {
        for await (const { value } of stub.Count({ value: upTo })) yield value
      },
      close: () => stub.close(),
    }
  },
}
