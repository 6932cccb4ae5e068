import { type FarcallClient, type Service, service } from 'farcall'
import { startGoPart } from './go-peer.ts'
import { type Family, goCaller } from './go-system.ts'
import { startListening, startProtobufClient } from './protobuf-peer.ts'
import { askByLines, type TestProcess } from './process.ts'
import { labRegistry, labServer, startLabClient } from './python-system.ts'

/** A process of an older system that listens; `address` is what others of its system are told. */
export type OldPart = TestProcess & { readonly address: string }

/** A client of an older system. All of them make one and the same call. */
export interface OldClient extends AsyncDisposable {
  /** Makes the call; rejects with what the client says of a failure. */
  call(): Promise<unknown>
}

/** An older system in its own processes, and how ours meet it. */
export interface OldSystem {
  startRegistry(): Promise<OldPart>
  /** A server that knows the registry at this address. */
  startServer(registry: string): Promise<OldPart>
  /** A client that finds its servers there. */
  startClient(registry: string): OldClient
  /** That registry as ours are told of it. */
  target(registry: string): string
  /** A registry of ours at host:port as theirs are told of it. */
  address(place: string): string
  /** What our servers offer in the place of theirs. */
  readonly service: Service
  /** The call, made by a client of ours. */
  call(client: FarcallClient): Promise<unknown>
  /** What it comes to. */
  readonly result: unknown
}

/** The Python system with JSON. Its clients hear of changes every 100 ms, its servers send a heartbeat as often. */
export const labJson: OldSystem = {
  startRegistry: () => labRegistry(),
  startServer: (registry) => labServer(registry, '--heartbeat', '0.1'),
  startClient(registry) {
    const client = startLabClient(registry)
    return { call: () => client.add(1, 2), [Symbol.asyncDispose]: client[Symbol.asyncDispose] }
  },
  target: (registry) => `lab-registry+http://${registry}?heartbeatMs=100&pollMs=100`,
  address: (place) => place,
  service: service('math', { add: (a: number, b: number, c = 10) => a + b + c }),
  call: callAdd,
  result: 13,
}

/** The Python system with protobuf. */
export const labProtobuf: OldSystem = {
  startRegistry: () => startListening('proto_registry.py'),
  startServer: (registry) =>
    startListening('proto_server.py', ['--registry', registry, '--heartbeat', '0.1']),
  startClient(registry) {
    const ask = askByLines(startProtobufClient(registry, ['--discover']))
    return {
      async call() {
        const answer = await ask({ service: 'add', args: { a: 1, b: 2 } })
        if (answer['type'] !== 'success') throw new Error(JSON.stringify(answer))
        return (answer['add'] as { sum: number }).sum
      },
      [Symbol.asyncDispose]: ask[Symbol.asyncDispose],
    }
  },
  target: (registry) => `lab-registry+tcp://${registry}?heartbeatMs=100&pollMs=100`,
  address: (place) => place,
  service: service('Calculator', { add: (a: number, b: number) => a + b }),
  call: callAdd,
  result: 3,
}

// By the method alone, as these systems do; `add` may be done twice.
function callAdd(client: FarcallClient): Promise<unknown> {
  const bare = client.service<{ add(a: number, b: number): number }>('').$with({ idempotent: true })
  return bare.add(1, 2)
}

/** A system in Go; `program` is tests/peers/go/system, compiled. Its clients hear of changes every 100 ms. */
export function goSystem(family: Family, program: string): OldSystem {
  const part = (...flags: string[]) => startGoPart(program, ['-family', family, ...flags])
  return {
    startRegistry: () => part('-role', 'registry', '-listen', '127.0.0.1:0'),
    startServer: (registry) => part('-role', 'server', '-registry', registry),
    startClient(registry) {
      const client = goCaller(program)(family, registry, '-refresh', '100ms')
      return {
        async call() {
          const { reply, error } = await client.call('Foo.Sum', { Num1: 1, Num2: 2 })
          if (error !== '') throw new Error(error)
          return reply
        },
        [Symbol.asyncDispose]: client[Symbol.asyncDispose],
      }
    },
    target: (registry) => `${family}-registry+${registry}?heartbeatMs=100&pollMs=100`,
    address: (place) => `http://${place}/_geerpc_/registry`,
    service: service('Foo', { Sum: ({ Num1, Num2 }: Numbers) => Num1 + Num2 }),
    call: (client) => {
      const foo = client.service<{ Sum(numbers: Numbers): number }>('Foo').$with({ idempotent: true })
      return foo.Sum({ Num1: 1, Num2: 2 })
    },
    result: 3,
  }
}

interface Numbers {
  readonly Num1: number
  readonly Num2: number
}
